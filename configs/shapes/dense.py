# What dense guidance gains, on seeds that chose nothing: python tools/benchmark.py configs/shapes/dense.py
_base_ = './suite.py'
title = 'Dense guidance, confirmed'
note = ('The published form, dense guidance and the supervised rival with 4,000 labels, each of as many steps. '
        '"Colours" are what the names do not say. Seeds 0-2 chose the settings (configs/shapes/dense_search.py); these '
        'chose nothing.')
work_dir = 'work_dirs/dense'
seeds = [5, 6, 7, 8, 9]
by_names = [
    dict(
        name='zero-shot colours',
        config='configs/shapes/zero-shot_r18-slim_colours.py',
        test_only=True,
        metrics={'accuracy/top1': 'top-1'},
        inputs=_base_.world + _base_.teacher),
    dict(
        name='zero-shot segmentation',
        config='configs/shapes/zero-shot-segmentation_r18-slim_shapes.py',
        test_only=True,
        metrics={'mIoU': 'mIoU'},
        inputs=_base_.world + _base_.teacher)
]
tasks = [_base_.tasks[0], *by_names, *_base_.tasks[2:]]
lgd, dense, supervised = (
    entry for label in ('LGD', 'dense LGD', 'supervised') for entry in _base_.entries if entry['label'] == label)
lgd.without = ['zero-shot segmentation']
supervised.without = [task['name'] for task in tasks[:3]]
entries = [lgd, dense, supervised]
