"""How a mistake is told."""

import pytest

from lgd_mm import errors
from lgd_mm.engine.launch import train
from tests.tiny import ROOT


@pytest.mark.parametrize(('rank', 'waited'), [(None, []), ('0', []), ('3', [errors.OTHERS_WAIT])])
def test_other_processes_leave_the_first_one_to_tell_it(monkeypatch, capsys, rank, waited):
    """Each exits with 2; the others wait to be ended by the launcher, and speak if they are not."""
    slept = []
    monkeypatch.setattr(errors.time, 'sleep', slept.append)
    monkeypatch.delenv('SLURM_PROCID', raising=False)
    monkeypatch.delenv('RANK', raising=False) if rank is None else monkeypatch.setenv('RANK', rank)
    with pytest.raises(SystemExit) as caught, errors.reported():
        raise errors.UserError('the file is missing')
    assert (caught.value.code, slept) == (2, waited)
    assert capsys.readouterr().err == 'error: the file is missing\n'


def test_other_errors_pass():
    """They keep their traceback."""
    with pytest.raises(ZeroDivisionError), errors.reported():
        print(1 / 0)


def test_a_config_that_only_tests_is_not_trained(tmp_path):
    """It would ask for a teacher's weights before anything else."""
    config = ROOT / 'configs/classification/zero-shot_r18_imagenet.py'
    with pytest.raises(errors.UserError, match='imagenet.py has no train_dataloader: it is only tested, by tools'):
        train(str(config), work_dir=str(tmp_path / 'run'))
    assert not (tmp_path / 'run').exists()
