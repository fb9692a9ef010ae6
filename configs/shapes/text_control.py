# What the names gain and what they make the student forget: LGD with the names of the shapes, of the colours and of
# both, on tasks of either kind. python tools/benchmark.py configs/shapes/text_control.py
_base_ = './suite.py'
title = 'The names decide'
note = ('The same student, teacher, images and schedule; only the category names of the pre-training differ. Each '
        'student is tested on shapes and on colours: without a label (zero-shot), with one layer on the frozen student '
        '(probe), and fine-tuned (UPerNet).')
work_dir = 'work_dirs/text_control'
colours = ['blue', 'green', 'orange', 'purple', 'red', 'yellow']
shapes = ['circle', 'crescent', 'cross', 'diamond', 'ring', 'square', 'star', 'triangle']
tasks = [
    dict(
        name=f'zero-shot {kind}',
        config=f'configs/shapes/zero-shot_r18-slim_{kind}.py',
        test_only=True,
        metrics={'accuracy/top1': 'top-1'},
        inputs=_base_.world + _base_.teacher) for kind in ('shapes', 'colours')
] + [
    dict(
        name=f'linear probe {kind}',
        config=f'configs/shapes/linear_r18-slim_{kind}.py',
        metrics={'accuracy/top1': 'top-1'},
        inputs=_base_.world) for kind in ('shapes', 'colours')
] + [
    dict(
        name=f'UPerNet {kind}',
        config=f'configs/shapes/upernet_r18-slim_{kind}.py',
        metrics={'mIoU': 'mIoU'},
        inputs=_base_.world) for kind in ('shapes', 'colours')
]
entries = [
    dict(
        label=label,
        pretrain='configs/shapes/lgd_r18-slim_shapes.py',
        options=[f'model.lgka.categories={names}', 'val_cfg=None', 'val_dataloader=None', 'val_evaluator=None'],
        inputs=_base_.world + _base_.teacher)
    for label, names in {
        'names of shapes': shapes,
        'names of colours': colours,
        'names of both': shapes + colours
    }.items()
]
