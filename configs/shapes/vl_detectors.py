# The eyes of the vision-language suite, made once: the student's backbone and detector, and the teacher's.
# tools/make_vl_world.py writes the images before.
title = 'Detectors of the vision-language suite'
work_dir = 'work_dirs/vl/detectors'
seeds = [0]
amp = True
metrics = {'coco/bbox_mAP': dict(title='box AP', scale=100)}
tasks = [
    dict(name='student detector', config='configs/shapes/mask-rcnn_r18-slim_fpn_vl.py', metrics=metrics),
    dict(name='teacher detector', config='configs/shapes/mask-rcnn_r18-half_fpn_vl.py', metrics=metrics),
]
images = [f'{loader}_dataloader.dataset.data_root=work_dirs/vl/data/' for loader in ('train', 'val', 'test')]
entries = [
    dict(
        label='student',
        pretrain='configs/shapes/lgd-dense_r18-slim_shapes.py',
        options=images,
        without=['teacher detector']),
    dict(
        label='teacher',
        pretrain='configs/shapes/lgd-dense_r18-half_shapes.py',
        options=images,
        without=['student detector']),
]
