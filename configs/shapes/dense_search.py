# Dense guidance with one setting changed at a time: python tools/benchmark.py configs/shapes/dense_search.py
# Seeds 0-2 choose; configs/shapes/dense.py confirms on seeds 5-9.
_base_ = './suite.py'
title = 'Dense guidance, one setting at a time'
note = ('Recommended: the published losses and 3 x the textual loss at every position of maps of stride 8. One setting '
        'differs in each row; "colours" are what the names do not say.')
work_dir = 'work_dirs/dense_search'
colours = dict(
    name='zero-shot colours',
    config='configs/shapes/zero-shot_r18-slim_colours.py',
    test_only=True,
    metrics={'accuracy/top1': 'top-1'},
    inputs=_base_.world + _base_.teacher)
tasks = [
    *(task for task in _base_.tasks if task['name'] == 'zero-shot'), colours,
    *(task for task in _base_.tasks if task['name'] == 'UPerNet')
]
dense = 'configs/shapes/lgd-dense_r18-slim_shapes.py'
of_positions = [  # the parts of dense guidance, for methods without names
    'model.backbone.out_indices=(1,2,3)', 'model.teacher.dense_stride=8', 'model.dense.type=lgd_mm.DenseGuidance'
]
names = ["model.dense.categories=['circle','crescent','cross','diamond','ring','square','star','triangle']"]
entries = [
    dict(label=label, pretrain=config, options=options, inputs=_base_.world + _base_.teacher)
    for label, (config, options) in {
        'recommended': (dense, []),
        'textual 1': (dense, ['model.dense.textual=1']),
        'textual 6': (dense, ['model.dense.textual=6']),
        'mimicking 1': (dense, ['model.dense.mimicking=1']),
        'mimicking 2': (dense, ['model.dense.mimicking=2']),
        'feature 1': (dense, ['model.dense.feature=1']),
        'targets at 0.05': (dense, ['model.dense.teacher_temperature=0.05']),
        'targets at 0.1': (dense, ['model.dense.teacher_temperature=0.1']),
        'visual 1': (dense, ['model.dense.visual=1', *names]),
        'stride 16': (dense, ['model.teacher.dense_stride=16']),
        'stride 32': (dense, ['model.teacher.dense_stride=32']),
        'last stage alone': (dense, ['model.backbone.out_indices=(3,)']),
        'alpha 0': (dense, ['model.head.alpha=0']),
        'no positive column, mimicking 2': (dense, ['model.lgka.positive_column=False', 'model.dense.mimicking=2']),
        'SEED, names at positions': ('configs/shapes/seed_r18-slim_shapes.py', of_positions + names),
        'SEED, features of positions': (
            'configs/shapes/seed_r18-slim_shapes.py',
            [*of_positions, 'model.dense.textual=0', 'model.dense.feature=3']),
        'mimicking, names at positions': ('configs/shapes/mimicking_r18-slim_shapes.py', of_positions + names),
        'mimicking, features of positions': (
            'configs/shapes/mimicking_r18-slim_shapes.py',
            [*of_positions, 'model.dense.textual=0', 'model.dense.feature=3']),
    }.items()
]
