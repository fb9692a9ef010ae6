# Dense guidance with one setting changed at a time: python tools/benchmark.py configs/shapes/dense_search.py
# Seeds 0-2 choose; configs/shapes/dense.py confirms on seeds 5-9.
_base_ = './dense.py'
title = 'Dense guidance, one setting at a time'
note = ('Recommended: the published losses and 3 x the textual loss at every position of maps of stride 8, with 0.3 as '
        'the similarity to none of the names, and 0.5 x mimicking. One setting differs in each row; "colours" are what '
        'the names do not say.')
work_dir = 'work_dirs/dense_search'
seeds = [0, 1, 2]
tasks = ['shapes/zero-shot', 'shapes/zero-shot-colours', 'shapes/zero-shot-segmentation', 'shapes/upernet']
recommended = 'configs/shapes/lgd-dense_r18-slim_shapes.py'
of_positions = [  # the parts of dense guidance, for methods without names
    'model.backbone.out_indices=(1,2,3)', 'model.teacher.dense_stride=8', 'model.dense.type=lgd_mm.DenseGuidance'
]
names = ["model.dense.categories=['circle','crescent','cross','diamond','ring','square','star','triangle']"]
entries = [
    dict(label=label, pretrain=config, options=options, inputs=_base_.world + _base_.teacher)
    for label, (config, options) in {
        'recommended': (recommended, []),
        'each position has a name': (recommended, ['model.dense.background=None']),
        'textual 1': (recommended, ['model.dense.textual=1']),
        'textual 6': (recommended, ['model.dense.textual=6']),
        'no mimicking': (recommended, ['model.dense.mimicking=0']),
        'mimicking 1': (recommended, ['model.dense.mimicking=1']),
        'mimicking 2': (recommended, ['model.dense.mimicking=2']),
        'feature 1': (recommended, ['model.dense.feature=1']),
        'targets at 0.05': (recommended, ['model.dense.teacher_temperature=0.05']),
        'targets at 0.1': (recommended, ['model.dense.teacher_temperature=0.1']),
        'visual 1': (recommended, ['model.dense.visual=1', *names]),
        'stride 16': (recommended, ['model.teacher.dense_stride=16']),
        'stride 32': (recommended, ['model.teacher.dense_stride=32']),
        'last stage alone': (recommended, ['model.backbone.out_indices=(3,)']),
        'alpha 0': (recommended, ['model.head.alpha=0']),
        'no positive column, mimicking 2': (
            recommended, ['model.lgka.positive_column=False', 'model.dense.mimicking=2']),
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
