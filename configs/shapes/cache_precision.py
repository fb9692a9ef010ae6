# What a teacher cache in 8 bits costs a student:
#   python tools/cache_teacher.py configs/shapes/lgd_r18-slim_shapes_fast.py --views 11 --out work_dirs/quickstart/cache
#   python tools/cache_teacher.py configs/shapes/lgd_r18-slim_shapes_fast.py --views 11 --int8 \
#       --out work_dirs/quickstart/cache_int8
#   python tools/benchmark.py configs/shapes/cache_precision.py
_base_ = './quickstart.py'
title = 'Teacher caches in 16 and in 8 bits'
note = ('The student of the quickstart, taught by LGD from a teacher cache whose embeddings have 16 bits for each '
        'number, and from one of the same views with 8 bits and a scale for each embedding.')
work_dir = 'work_dirs/cache_precision'
seeds = [0, 1, 2]
reference = '16 bits'
entries = [
    dict(
        label=label,
        pretrain='configs/shapes/lgd_r18-slim_shapes_cached.py',
        options=[f'train_dataloader.dataset.cache={cache}', f'model.teacher.cache={cache}'],
        inputs=[*_base_.world, f'{cache}/cache.json'])
    for label, cache in (('16 bits', 'work_dirs/quickstart/cache'), ('8 bits', 'work_dirs/quickstart/cache_int8'))
]
