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
    dict(task='shapes/zero-shot', name='zero-shot shapes'),
    'shapes/zero-shot-colours',
    dict(task='shapes/linear', name='linear probe shapes'),
    'shapes/linear-colours',
    dict(task='shapes/upernet', name='UPerNet shapes'),
    'shapes/upernet-colours',
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
