# Whether crops of a teacher cache can stand for maps of a live teacher:
#   python tools/cache_teacher.py configs/shapes/lgd_r18-slim_shapes_fast.py --views 11 --crops 8 \
#       --out work_dirs/quickstart/cache_crops
#   python tools/benchmark.py configs/shapes/dense_cached.py
_base_ = './suite.py'
title = 'Dense guidance from a teacher cache'
note = ('LGD as published, with dense guidance by crops, and by maps. The first two read one cache, which holds the '
        'embeddings of 11 views and 8 smaller crops of each image and no maps; the third runs the teacher in each '
        'step. Views of the cache are those of seed 0, whatever the seed of the student; the third draws them by its '
        'own.')
work_dir = 'work_dirs/dense_cached'
reference = 'LGD, cached'
tasks = ['shapes/zero-shot', 'shapes/zero-shot-colours', 'shapes/upernet', 'shapes/mask-rcnn']
cache = 'work_dirs/quickstart/cache_crops'
from_cache = [*_base_.world, f'{cache}/cache.json']
entries = [
    dict(
        label='LGD, cached',
        pretrain='configs/shapes/lgd_r18-slim_shapes_cached.py',
        options=[f'train_dataloader.dataset.cache={cache}', f'model.teacher.cache={cache}'],
        inputs=from_cache),
    dict(
        label='dense LGD, crops of the cache',
        pretrain='configs/shapes/lgd-dense_r18-slim_shapes_cached.py',
        inputs=from_cache),
    dict(
        label='dense LGD, maps',
        pretrain='configs/shapes/lgd_r18-slim_shapes_fast.py',
        options=[
            'model.backbone.out_indices=(1,2,3)', 'model.teacher.dense_stride=8',
            'model.dense.type=lgd_mm.DenseGuidance', 'model.dense.background=0.3', 'model.dense.mimicking=0.5'
        ],
        inputs=_base_.world + _base_.teacher),
]
