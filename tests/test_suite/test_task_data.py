"""Whether the data of a task are there before anything runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from lgd_mm.errors import UserError
from lgd_mm.suite import runner
from lgd_mm.suite.definition import Task
from lgd_mm.suite.task_data import check_task_data


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """Trained and tested on three images of two classes."""
    for name in ('cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg'):
        (tmp_path / 'images' / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'images' / name).write_bytes(b'')
    (tmp_path / 'config.py').write_text(f'''
default_scope = 'mmpretrain'
loader = dict(batch_size=1, dataset=dict(type='CustomDataset', data_root={str(tmp_path)!r}, data_prefix='images'))
train_cfg = dict(max_epochs=1)
train_dataloader = loader
val_dataloader = loader
test_dataloader = loader
''')
    return Task('probe', tmp_path / 'config.py', (), task='own/probe', test_images=3)


def test_whole_data(task: Task) -> None:
    check_task_data(task)
    check_task_data(replace(task, test_only=True))
    check_task_data(replace(task, test_images=None))


@pytest.mark.parametrize('test_only', [False, True])
def test_another_number_of_images(task: Task, test_only: bool) -> None:
    with pytest.raises(UserError, match='task probe is measured on 5,000 test images, and 3 are there: complete'):
        check_task_data(replace(task, test_images=5000, test_only=test_only))


def test_options_say_where_the_data_are(task: Task) -> None:
    away = [f'{split}_dataloader.dataset.data_root=nowhere' for split in ('train', 'val')]
    with pytest.raises(UserError, match='task probe: nowhere does not exist .train_dataloader.dataset.data_root.*give '
                       'the task options like train_dataloader.dataset.data_root=PATH'):
        check_task_data(replace(task, options=(away[0], )))
    check_task_data(replace(task, options=(away[0], ), test_only=True))
    check_task_data(replace(task, options=tuple(away), task=None, test_images=None))  # a config of the suite's own


def test_what_is_wrong_otherwise_its_run_tells(task: Task) -> None:
    check_task_data(replace(task, options=('val_dataloader.dataset.type=Unknown', )))


def test_a_suite_asks_before_it_begins(fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is still to do, and where it runs here."""
    asked: list[str] = []
    monkeypatch.setattr(runner, 'check_task_data', lambda task: asked.append(task.name))
    fake.runner(seeds=[0], names=['one']).run()
    assert asked == ['one']
    asked.clear()
    fake.runner(seeds=[0]).run()
    assert asked == ['two']
    asked.clear()
    elsewhere = fake.runner(seeds=[1])
    elsewhere.launcher.partition = 'gpus'
    elsewhere._check_tasks(['one'])
    assert asked == []
