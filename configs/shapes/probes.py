# What the maps of a frozen student hold, and what a few labels do with it: every student of the suite on frozen
# backbones and with few images. python tools/benchmark.py configs/shapes/probes.py
_base_ = './suite.py'
title = 'Frozen probes and few labels'
note = ('The students of the suite, their backbones frozen behind a linear layer, Semantic FPN and Mask R-CNN, and '
        'with the labels of a few images: the same ones for all of them.')
work_dir = 'work_dirs/probes'
images_of_each = {f'few-shot/top1_{shots}': f'top-1, {shots} of each' for shots in (1, 5, 10, 20)}
instances = {
    'coco/bbox_mAP': dict(title='box AP', scale=100),
    'coco/segm_mAP': dict(title='mask AP', scale=100)
}
tasks = [
    _base_.tasks[0],
    dict(
        name='linear segmentation',
        config='configs/shapes/linear-seg-frozen_r18-slim_shapes.py',
        metrics={'mIoU': 'mIoU'},
        inputs=_base_.world),
    dict(
        name='Semantic FPN',
        config='configs/shapes/sem-fpn-frozen_r18-slim_shapes.py',
        metrics={'mIoU': 'mIoU'},
        inputs=_base_.world),
    dict(
        name='frozen Mask R-CNN',
        config='configs/shapes/mask-rcnn-frozen_r18-slim_fpn_shapes.py',
        metrics=instances,
        inputs=_base_.world),
    dict(
        name='few labels',
        config='configs/shapes/few-shot_r18-slim_shapes.py',
        metrics=images_of_each,
        inputs=_base_.world),
    dict(
        name='fine-tuning, 10 of each',
        config='configs/shapes/finetune-10shots_r18-slim_shapes.py',
        metrics={'accuracy/top1': 'top-1'},
        inputs=_base_.world),
    dict(
        name='UPerNet, 50 images',
        config='configs/shapes/upernet-50images_r18-slim_shapes.py',
        metrics={'mIoU': 'mIoU'},
        inputs=_base_.world),
    dict(
        name='Mask R-CNN, 50 images',
        config='configs/shapes/mask-rcnn-50images_r18-slim_fpn_shapes.py',
        metrics=instances,
        inputs=_base_.world),
]
entries = [
    dict(entry, without=[name for name in entry.get('without', ()) if name == 'zero-shot']) for entry in _base_.entries
]
