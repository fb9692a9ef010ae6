# Whether the fast forms cost accuracy: LGD as in the quickstart, in its fast form, and from a cache of the teacher's
# embeddings, which the command in lgd_r18-slim_shapes_cached.py makes once the world is there (make quickstart).
_base_ = './suite.py'
title = 'Fast forms of LGD'
note = ('"fast" draws its views as numbers and has a fused optimiser; "cached" takes the same views and the teacher\'s '
        'embeddings of them from a cache. In all of them the teacher computes in bf16 with folded batch-norms.')
work_dir = 'work_dirs/speed'
tasks = ['shapes/zero-shot', 'shapes/linear']
entries = [
    dict(label='live', pretrain='configs/shapes/lgd_r18-slim_shapes.py', inputs=_base_.world + _base_.teacher),
    dict(label='fast', pretrain='configs/shapes/lgd_r18-slim_shapes_fast.py', inputs=_base_.world + _base_.teacher),
    dict(
        label='cached',
        pretrain='configs/shapes/lgd_r18-slim_shapes_cached.py',
        inputs=[*_base_.world, 'work_dirs/quickstart/cache/cache.json']),
]
