"""The libraries are quiet by name: their known messages are dropped, others are not."""

import io
import logging
import subprocess
import sys
import warnings

import mmengine.logging
import pytest
from mmengine.logging import MMLogger

from lgd_mm.console import quiet


def test_known_messages_are_dropped_and_others_printed(capsys: pytest.CaptureFixture) -> None:
    for message in (*quiet.PRINTED, 'Could not import the data'):
        mmengine.logging.print_log(message)
    assert capsys.readouterr().out == 'Could not import the data\n'


def test_warnings_are_dropped_only_from_their_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmengine.logging, 'print_log', mmengine.logging.print_log)  # wrapped again below

    def warn(module: str) -> None:
        warnings.warn_explicit('Default ``avg_non_ignore`` is False, if', UserWarning, 'file.py', 1, module)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        quiet.silence_known_messages()
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


def test_loggers_are_silent_and_speak_again(capsys: pytest.CaptureFixture) -> None:
    """mmengine's is not one of logging's own, and remembers what was enabled before."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    loggers = MMLogger.get_current_instance(), logging.getLogger('some.library')
    for logger in loggers:
        logger.addHandler(handler)
    loggers[1].setLevel('INFO')
    try:
        for logger in loggers:
            logger.info('before')
        with quiet.quietly():
            print('printed')
            warnings.warn('warned', stacklevel=1)
            for logger in loggers:
                logger.info('within')
                logger.error('error')
        for logger in loggers:
            logger.info('after')
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
    assert said.getvalue().split() == ['before'] * 2 + ['error'] * 2 + ['after'] * 2
    assert 'printed' not in capsys.readouterr().out
