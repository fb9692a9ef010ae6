# What dense guidance gains, on seeds that chose nothing: python tools/benchmark.py configs/shapes/dense.py
_base_ = './suite.py'
title = 'Dense guidance, confirmed'
note = ('The published form, dense guidance and the supervised rival with 4,000 labels, each of as many steps. '
        '"Colours" are what the names do not say. Seeds 0-2 chose the settings (configs/shapes/dense_search.py); these '
        'chose nothing.')
work_dir = 'work_dirs/dense'
seeds = [5, 6, 7, 8, 9]
tasks = [
    'shapes/zero-shot', 'shapes/zero-shot-colours', 'shapes/zero-shot-segmentation', 'shapes/mask-rcnn',
    'shapes/upernet'
]
lgd, dense, supervised = (
    entry for label in ('LGD', 'dense LGD', 'supervised') for entry in _base_.entries if entry['label'] == label)
lgd.without = ['zero-shot segmentation']
supervised.without = ['zero-shot', 'zero-shot colours', 'zero-shot segmentation']
entries = [lgd, dense, supervised]
