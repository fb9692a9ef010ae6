"""What the vision-language suite starts from is made where its configs look for it, wherever the command is given."""

import os
import runpy
from pathlib import Path

from tests.tiny import ROOT


def test_files_lie_where_the_configs_look_for_them(tmp_path, monkeypatch):
    main = runpy.run_path(str(ROOT / 'tools/make_vl_world.py'))['main']
    made, calls = [], []
    main.__globals__.update(
        write_world=lambda folder, **numbers: made.append(Path(folder).absolute()),
        write_language=lambda folder: made.append(Path(folder).absolute()),
        trained=lambda folder: folder / 'epoch.pth', untaught=lambda folder: folder / 'student.safetensors',
        call=lambda *words: calls.append((os.getcwd(), *map(str, words))))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['make_vl_world.py'])
    main()
    assert made == [ROOT / 'work_dirs/vl/data'] * 2 and {call[0] for call in calls} == {str(ROOT)}
    stores = {Path(call[call.index('--out') + 1]): call for call in calls if '--out' in call}
    names = ('student', 'teacher_own', 'teacher_at_student', 'grid_lgd', 'grid_random')
    assert {*stores} == {Path(f'work_dirs/vl/regions/{name}_{split}') for name in names for split in ('train', 'val')}
    for store, call in stores.items():
        split = store.name.rpartition('_')[2]
        assert call[call.index('--split') + 1] == split if '--split' in call else f'coco/{split}2017' in ' '.join(call)
        if 'at_student' in store.name:
            assert call[call.index('--boxes') + 1] == f'work_dirs/vl/regions/student_{split}'
