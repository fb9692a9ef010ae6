# Vision and language in the generated world: make suite SUITE=vl, or tools/make_vl_world.py and then
# python tools/benchmark.py configs/shapes/vl.py.
title = 'Vision and language in the generated world'
note = ('A transformer of 2 blocks of width 64 answers questions about images of coloured shapes; its eyes are a '
        'quarter-width Mask R-CNN. It learns from labels alone, or also from a transformer of 4 blocks of width 128, '
        'with a detector twice as wide, by DistillVLM: from its answers, its attention and its hidden states. That '
        "teacher was trained on its own detector's boxes, and is adapted to the student's. Misaligned: a teacher "
        'trained as long keeps its own boxes, and tokens are compared by number. As much time: of twice as many steps, '
        'each of which takes half as long. Grid: cells of the map of a quarter-width ResNet-18 in place of boxes.')
work_dir = 'work_dirs/vl/suite'
seeds = [0, 1, 2]
reference = 'labels only'
kinds = dict(accuracy='VQA', colour='colour', shape='shape', count='count', presence='presence', place='place')
tasks = [
    dict(name='VQA', of='pre-training', metrics={f'vqa/{key}': title for key, title in kinds.items()}),
    dict(
        name='VQA, own boxes',
        of='pre-training',
        options=['test_dataloader.dataset.regions=work_dirs/vl/regions/teacher_own_val'],
        metrics={'vqa/accuracy': 'VQA'}),
]
own = ['VQA, own boxes']
folder = 'configs/shapes/'
distilled = dict(pretrain=folder + 'vqa_distill-vlm_shapes.py', without=own)
adapted = 'model.teacher.weights={student:teacher, adapted}'
none = ['model.attention=0', 'model.hidden=0', 'model.labels=0']
inputs = ['work_dirs/vl/data/language', 'work_dirs/vl/regions']
grid = ['train_dataloader.dataset.regions=work_dirs/vl/regions/grid_{}_train',
        'val_dataloader.dataset.regions=work_dirs/vl/regions/grid_{}_val',
        'test_dataloader.dataset.regions=work_dirs/vl/regions/grid_{}_val',
        'train_dataloader.dataset.lengths=(14,0,16)', 'val_dataloader.dataset.lengths=(14,0,16)',
        'test_dataloader.dataset.lengths=(14,0,16)', 'model.transformer.region_width=70']
entries = [
    dict(label='teacher', pretrain=folder + 'vqa_teacher_shapes.py'),
    dict(
        label='teacher, adapted',
        pretrain=folder + 'vqa_adapted_shapes.py',
        options=['model.weights={student:teacher}'],
        without=own),
    dict(
        label='teacher, as long',
        pretrain=folder + 'vqa_adapted_shapes.py',
        options=['model.weights={student:teacher}',
                 'train_dataloader.dataset.regions=work_dirs/vl/regions/teacher_own_train'],
        without=own),
    dict(label='labels only', pretrain=folder + 'vqa_student_shapes.py', without=own),
    dict(distilled, label='+ answers', options=[adapted, *none[:2]]),
    dict(distilled, label='+ attention', options=[adapted, *none[1:]]),
    dict(distilled, label='+ hidden states', options=[adapted, none[0], none[2]]),
    dict(distilled, label='all three', options=[adapted]),
    dict(
        distilled,
        label='all three, misaligned',
        options=[
            'model.teacher.weights={student:teacher, as long}',
            'train_dataloader.dataset.teacher_regions=work_dirs/vl/regions/teacher_own_train',
            'train_dataloader.dataset.aligned=False'
        ]),
    dict(
        label='labels only, as much time',
        pretrain=folder + 'vqa_student_shapes.py',
        options=['train_cfg.max_epochs=16', 'train_cfg.val_interval=16'],
        without=own),
    dict(
        label='grid, random backbone',
        pretrain=folder + 'vqa_student_shapes.py',
        options=[option.format('random') for option in grid],
        without=own),
    dict(
        label='grid, LGD backbone',
        pretrain=folder + 'vqa_student_shapes.py',
        options=[option.format('lgd') for option in grid],
        without=own),
]
entries = [dict(entry, inputs=inputs) for entry in entries]
