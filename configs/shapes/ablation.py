# LGD with one setting changed at a time, on zero-shot classification and segmentation:
# python tools/benchmark.py configs/shapes/ablation.py
_base_ = './suite.py'
title = 'Ablation of LGD'
note = ('Published: alpha 0.5, momentum 0.999, with the positive column, rows of the visual bank as they come, unseen '
        'rows in the softmax. One setting differs in each row; alpha 0 is the textual loss alone, alpha 1 the visual.')
work_dir = 'work_dirs/ablation'
tasks = ['shapes/zero-shot', 'shapes/upernet']
entries = [
    dict(
        label=label,
        pretrain='configs/shapes/lgd_r18-slim_shapes.py',
        options=options,
        inputs=_base_.world + _base_.teacher)
    for label, options in {
        'published': [],
        'alpha 0': ['model.head.alpha=0'],
        'alpha 0.25': ['model.head.alpha=0.25'],
        'alpha 0.75': ['model.head.alpha=0.75'],
        'alpha 1': ['model.head.alpha=1'],
        'no positive column': ['model.lgka.positive_column=False'],
        'normalised bank': ['model.lgka.normalize_visual_bank=True'],
        'unseen masked': ['model.lgka.mask_unseen=True'],
        'momentum 0.9': ['model.lgka.momentum=0.9'],
        'momentum 0.99': ['model.lgka.momentum=0.99'],
    }.items()
]
