# Captions in the generated world, as its questions: make suite SUITE=vl makes both.
_base_ = './vl.py'
title = 'Captions in the generated world'
note = ('As the suite of questions: a transformer of 2 blocks of width 64 writes a caption of up to four objects and '
        'where they are, from labels alone or also from a transformer of 4 blocks of width 128, by DistillVLM.')
work_dir = 'work_dirs/vl/captions'
tasks = [
    dict(
        name='captions',
        of='pre-training',
        metrics={f'caption/{score}': dict(title=score, scale=1) for score in ('CIDEr', 'BLEU-4', 'ROUGE-L')}),
    dict(
        name='captions, own boxes',
        of='pre-training',
        metrics={'caption/CIDEr': dict(title='CIDEr', scale=1)},
        options=['test_dataloader.dataset.regions=work_dirs/vl/regions/teacher_own_val']),
]
_chosen = ('teacher', 'teacher, adapted', 'teacher, as long', 'labels only', 'all three', 'all three, misaligned',
           'grid, random backbone', 'grid, LGD backbone')
entries = [
    dict(
        entry,
        pretrain=entry['pretrain'].replace('/vqa_', '/caption_'),
        options=[option.replace('(14,0,16)', '(26,0,16)') for option in entry.get('options', [])],
        without=['captions, own boxes'] if entry.get('without') else [])
    for entry in _base_.entries if entry['label'] in _chosen
]
