"""Workers that stay from epoch to epoch, until their run has ended."""

import multiprocessing

import pytest

from lgd_mm.engine.launch import train
from tests.tiny import write_images, write_lgd_config


@pytest.fixture
def config(tmp_path):
    write_images(tmp_path / 'pictures', 8)
    return str(write_lgd_config(tmp_path, tmp_path / 'pictures', param_scheduler=None,
                                train_dataloader=dict(num_workers=1, persistent_workers=True)))


@pytest.mark.parametrize('loop', [
    dict(max_epochs=2), dict(_delete_=True, type='IterBasedTrainLoop', max_iters=3)], ids=['epochs', 'iterations'])
def test_they_end_with_it(config, tmp_path, loop):
    runner = train(config, work_dir=str(tmp_path / 'run'), cfg_options=dict(train_cfg=loop))
    assert runner.iter >= 3 and multiprocessing.active_children() == []


def test_they_end_with_one_that_fails(config, tmp_path, monkeypatch):
    monkeypatch.setattr('lgd_mm.models.lgd.LGD.loss', lambda self, *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(config, work_dir=str(tmp_path / 'run'))
    assert multiprocessing.active_children() == []
