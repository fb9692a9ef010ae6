"""One exit code for each kind of failure, whatever raises it and wherever it is told again."""

import errno
import re
import sys

import pytest

from lgd_mm import errors
from lgd_mm.api.classes import parse_classes
from lgd_mm.cli import main
from lgd_mm.engine.failures import KIND
from lgd_mm.errors import DataError, DivergedError, ExhaustedError, MissingError, Stopped, UserError, reported
from tests.tiny import ROOT

NAMES = dict(UserError=2, DataError=3, MissingError=4, DivergedError=5, ExhaustedError=6)


def code(error: BaseException) -> object:
    """With which a command ends that meets an error."""
    with pytest.raises(SystemExit) as ended, reported():
        raise error
    return ended.value.code


@pytest.mark.parametrize(('kind', 'expected'), [
    (UserError, 2), (DataError, 3), (MissingError, 4), (DivergedError, 5), (ExhaustedError, 6)])
def test_each_kind_has_a_code(kind, expected, capsys):
    assert code(kind('the sentence')) == expected
    assert capsys.readouterr().err == 'error: the sentence\n'


@pytest.mark.parametrize('cause', [
    MemoryError(), OSError(errno.ENOSPC, 'No space left on device'), OSError(errno.EMFILE, 'Too many open files'),
    type('OutOfMemoryError', (RuntimeError, ), {})('CUDA out of memory')])
def test_what_has_run_out_is_told_as_such_whoever_tells_it(cause, capsys):
    """Also where nobody has a sentence for it; any other error keeps its traceback."""
    told = UserError('the table cannot be written: free disk space')
    told.__cause__ = cause
    assert code(told) == code(cause) == 6
    assert capsys.readouterr().err.count('error: ') == 2


def test_signals_have_the_codes_of_a_shell():
    assert code(KeyboardInterrupt()) == 130 and code(Stopped(15, 'stopped by SIGTERM')) == 143
    told = UserError('out cannot be written to')
    told.__cause__ = PermissionError(errno.EACCES, 'Permission denied')
    assert told.status == 2


def test_a_kind_stays_when_it_is_told_in_other_words(tmp_path, monkeypatch, capsys):
    (tmp_path / 'names.json').write_text('{')
    with pytest.raises(DataError, match='^classes: '):
        parse_classes(tmp_path / 'names.json')
    (tmp_path / 'a.jpg').touch()
    monkeypatch.setattr(sys, 'argv', ['lgd-mm', 'pretrain', '--images', str(tmp_path), '--classes',
                                      str(tmp_path / 'names.json'), '--out', str(tmp_path / 'run')])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3 and 'names.json is no valid JSON' in capsys.readouterr().err
    assert KIND.sub('', 'lgd_mm.errors.DataError: mask 1.png cannot be decoded') == 'mask 1.png cannot be decoded'


def test_the_codes_are_those_of_the_page():
    page = (ROOT / 'docs' / 'troubleshooting.md').read_text()
    told = dict(re.findall(r'^\| (\d+) \| .*`(\w+Error)`', page, re.M))
    assert {name: int(number) for number, name in told.items()} == NAMES
    assert {name: getattr(errors, name).code for name in NAMES} == NAMES
