# Every rival on every task of the generated world: make suite, or python tools/benchmark.py configs/shapes/suite.py.
title = 'The generated world'
note = ('A quarter-width ResNet-18, pre-trained on 12,000 unlabelled images of coloured shapes by a small CLIP-like '
        'teacher, then fine-tuned on a few labelled ones. LGD is given the names of the shapes; dense LGD reads them '
        'at every position, too. The supervised rival has the labels of 4,000 further images; SimCLR has no teacher, '
        'and "SEED, SimCLR teacher" one that knows no text.')
work_dir = 'work_dirs/suite'
shapes_world = 'work_dirs/quickstart/data'
world = ['work_dirs/quickstart/data/world.json']
teacher = ['lgd_mm/datasets/shapes/teacher/open_clip_model.safetensors']
seeds = [0, 1, 2]
amp = True
cost = dict(size=224)
tasks = [
    f'shapes/{name}' for name in ('zero-shot', 'zero-shot-colours', 'zero-shot-segmentation', 'linear', 'mask-rcnn',
                                  'upernet', 'zero-shot-corrupted', 'upernet-corrupted', 'knn', 'outliers',
                                  'few-labels')
]
# By names needs a student that imitates the embeddings of the teacher; at each position, one of a dense pre-training.
positions = ['zero-shot segmentation']
by_names = ['zero-shot', 'zero-shot colours', 'zero-shot, corrupted', *positions]
entries = [
    dict(label='random weights', without=by_names),
    dict(
        label='mimicking',
        pretrain='configs/shapes/mimicking_r18-slim_shapes.py',
        without=positions,
        inputs=world + teacher),
    dict(
        label='SEED',
        pretrain='configs/shapes/seed_r18-slim_shapes.py',
        without=positions,
        inputs=world + teacher),
    dict(
        label='LGD',
        pretrain='configs/shapes/lgd_r18-slim_shapes.py',
        without=positions,
        inputs=world + teacher),
    dict(
        label='dense LGD',
        pretrain='configs/shapes/lgd-dense_r18-slim_shapes.py',
        inputs=world + teacher),
    dict(
        label='CompRess',
        pretrain='configs/shapes/compress_r18-slim_shapes.py',
        without=by_names,
        inputs=world + teacher),
    dict(
        label='supervised',
        pretrain='configs/shapes/supervised_r18-slim_shapes.py',
        without=by_names,
        inputs=world),
    dict(
        label='SimCLR',
        pretrain='configs/shapes/simclr_r18-slim_shapes.py',
        without=by_names,
        inputs=world),
    dict(
        label='SEED, SimCLR teacher',
        pretrain='configs/shapes/seed-simclr_r18-slim_shapes.py',
        options=['model.teacher.checkpoint={student:SimCLR}'],
        without=by_names,
        inputs=world),
]
