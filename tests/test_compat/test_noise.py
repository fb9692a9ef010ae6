"""The libraries are quiet by name: their known messages are dropped, others are not."""

import subprocess
import sys
import warnings

import mmengine.logging
import pytest

from lgd_mm.compat import noise


def test_known_messages_are_dropped_and_others_printed(capsys: pytest.CaptureFixture) -> None:
    for message in (*noise.PRINTED, 'Could not import the data'):
        mmengine.logging.print_log(message)
    assert capsys.readouterr().out == 'Could not import the data\n'


def test_warnings_are_dropped_only_from_their_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmengine.logging, 'print_log', mmengine.logging.print_log)  # wrapped again below

    def warn(module: str) -> None:
        warnings.warn_explicit('Default ``avg_non_ignore`` is False, if', UserWarning, 'file.py', 1, module)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        noise.silence_known_noise()
        warn('mmseg.models.losses.cross_entropy_loss')
        assert caught == []
        warn('other')
    assert len(caught) == 1


@pytest.mark.slow
def test_importing_the_libraries_prints_nothing() -> None:
    code = 'import lgd_mm, mmdet.models, mmdet.datasets, mmseg.models, mmseg.datasets, mmpretrain.models, open_clip'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ('', '')


def test_the_package_is_imported_without_torch() -> None:
    code = 'import lgd_mm, sys; print(sorted({"torch", "mmcv", "mmdet"} & set(sys.modules)))'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout == '[]\n'
