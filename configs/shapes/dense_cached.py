# Whether crops of a teacher cache can stand for maps of a live teacher:
#   python tools/cache_teacher.py configs/shapes/lgd_r18-slim_shapes_fast.py --views 11 --crops 8 \
#       --out work_dirs/quickstart/cache_crops
#   python tools/cache_teacher.py configs/shapes/lgd_r18-slim_shapes_fast.py --views 11 --crops 8 \
#       --crop-scale 0.15 0.4 --out work_dirs/quickstart/cache_larger_crops
#   python tools/cache_teacher.py configs/shapes/lgd_r18-slim_shapes_fast.py --views 11 --crops 8 \
#       --crop-scale 0.3 0.6 --out work_dirs/quickstart/cache_largest_crops
#   python tools/benchmark.py configs/shapes/dense_cached.py
_base_ = './suite.py'
title = 'Dense guidance from a teacher cache'
note = ('LGD as published, with dense guidance by crops, and by maps. All but the last read a cache, which holds the '
        'embeddings of 11 views and 8 smaller crops of each image and no maps: crops of 2 to 20 % of the image, larger '
        'ones of 15 to 40 %, and the largest of 30 to 60 %. The last runs the teacher in each step. Views of a cache '
        'are those of seed 0, whatever the seed of the student; the last draws them by its own.')
work_dir = 'work_dirs/dense_cached'
reference = 'LGD, cached'
tasks = ['shapes/zero-shot', 'shapes/zero-shot-colours', 'shapes/upernet', 'shapes/mask-rcnn']
cache = 'work_dirs/quickstart/cache'
from_cache = [*_base_.world, f'{cache}_crops/cache.json']
entries = [
    dict(
        label='LGD, cached',
        pretrain='configs/shapes/lgd_r18-slim_shapes_cached.py',
        options=[f'train_dataloader.dataset.cache={cache}_crops', f'model.teacher.cache={cache}_crops'],
        inputs=from_cache),
    dict(
        label='dense LGD, crops of the cache',
        pretrain='configs/shapes/lgd-dense_r18-slim_shapes_cached.py',
        inputs=from_cache),
    *(dict(
        label=f'dense LGD, {size} crops',
        pretrain='configs/shapes/lgd-dense_r18-slim_shapes_cached.py',
        options=[f'train_dataloader.dataset.cache={cache}_{size}_crops',
                 f'model.teacher.cache={cache}_{size}_crops'],
        inputs=[*_base_.world, f'{cache}_{size}_crops/cache.json']) for size in ('larger', 'largest')),
    dict(
        label='dense LGD, maps',
        pretrain='configs/shapes/lgd_r18-slim_shapes_fast.py',
        options=[
            'model.backbone.out_indices=(1,2,3)', 'model.teacher.dense_stride=8',
            'model.dense.type=lgd_mm.DenseGuidance', 'model.dense.background=0.3', 'model.dense.mimicking=0.5'
        ],
        inputs=_base_.world + _base_.teacher),
]
