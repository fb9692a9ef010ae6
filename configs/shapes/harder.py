# The harder world: 40 names of three words, on scenes of other sizes, among things without a name, after a pre-training
# that was given other names as well: python tools/benchmark.py configs/shapes/harder.py
title = 'The harder generated world'
note = ('A quarter-width ResNet-18, pre-trained on 12,000 unlabelled images of patterned shapes by a small CLIP-like '
        'teacher, then fine-tuned on 1,000 to 4,000 labelled ones. The list of names holds the 40 categories of the '
        'tests, 20 things that never occur and three backgrounds; three in ten of the objects have no name. "Colours" '
        'are what no name says. The supervised rival has the labels of 4,000 further images, which are those of the '
        'linear probe, too.')
work_dir = 'work_dirs/harder'
shapes_world = 'work_dirs/harder/data'
shapes_kind = 'harder'
world = ['work_dirs/harder/data/world.json']
teacher = ['lgd_mm/datasets/shapes/teacher_harder/open_clip_model.safetensors']
seeds = [0, 1, 2]
amp = True
tasks = [
    'harder/zero-shot', 'harder/zero-shot-colours', 'harder/zero-shot-segmentation', 'harder/linear',
    'harder/mask-rcnn', 'harder/upernet'
]
entries = [
    dict(
        label=label, pretrain=f'configs/shapes/{config}_r18-slim_harder.py', without=without, inputs=world + teacher)
    for label, config, without in (
        ('LGD', 'lgd', ['zero-shot segmentation']),
        ('dense LGD', 'lgd-dense', []),
        ('SEED', 'seed', ['zero-shot segmentation']),
        ('mimicking', 'mimicking', ['zero-shot segmentation']),
        ('supervised', 'supervised', ['zero-shot', 'zero-shot colours', 'zero-shot segmentation']),
    )
]
