# The same near convergence: with configs/shapes/vl.py, of which this is no part as it takes as long again,
# python tools/benchmark.py configs/shapes/vl_long.py.
_base_ = './vl.py'
title = 'Vision and language in the generated world, near convergence'
note = ('As the suite of questions, with three times as many steps of the students: what a teacher is worth when '
        'labels alone have taught what they can.')
work_dir = 'work_dirs/vl/long'
reference = 'labels only, 3 x as long'
long = ['train_cfg.max_epochs=24', 'train_cfg.val_interval=24']
_by_label = {entry['label']: entry for entry in _base_.entries}
entries = [
    _by_label['teacher'],
    _by_label['teacher, adapted'],
    *(dict(_by_label[label], label=f'{label}, 3 x as long', options=[*_by_label[label].get('options', []), *long])
      for label in ('labels only', 'all three')),
]
