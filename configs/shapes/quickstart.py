# The whole path in minutes: language-guided students, published and dense, and two tasks with and without them (make
# quickstart).
_base_ = './suite.py'
title = 'Quickstart'
note = ('A quarter-width ResNet-18 is pre-trained on unlabelled generated images with the names of the shapes, as '
        'published and with the names read at every position as well, then fine-tuned on a few labelled ones, beside '
        'the same network from random weights.')
work_dir = 'work_dirs/quickstart'
seeds = [0]
cost = None  # it is to be quick
tasks = ['shapes/zero-shot', 'shapes/mask-rcnn', 'shapes/upernet']
entries = [
    dict(entry, without=['zero-shot'] if entry['label'] == 'random weights' else [])
    for entry in _base_.entries if entry['label'] in ('random weights', 'LGD', 'dense LGD')
]
