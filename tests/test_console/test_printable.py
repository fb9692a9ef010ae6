"""Names from outside reach a terminal as text, whichever way a message leaves."""

import io
import logging
import sys

import pytest
from mmengine import logging as mmengine_logging
from rich.table import Table

from lgd_mm.console.printable import LONGEST, printable, shortened, shown
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.console.tables import PlainConsole
from lgd_mm.errors import Stopped, UserError, reported

#: Colours, a title of the window, a bell, one byte for "escape [", a text turned round, an end of line and half a
#: character.
HOSTILE = 'a\x1b[31m\x1b]0;t\x07\x9bB\u202e\u2066\x85\x7f\r\ud800z'
SHOWN = r'a\x1b[31m\x1b]0;t\x07\x9bB\u202e\u2066\x85\x7f\r' + '\ufffdz'


def test_what_is_printable():
    assert printable(HOSTILE) == printable(SHOWN) == SHOWN
    assert printable('a\nb\tc') == r'a\nb\tc' and printable('a\nb\tc\r', lines=True) == 'a\nb\tc\\r'
    plain = 'ünï çødé 日本 עברית नमस्ते 👩\u200d🚒 می\u200cخواهم \\x1b'
    assert printable(plain) == plain


def test_mistakes(capsys):
    for error in (UserError(f'{HOSTILE}\nerror: forged'), UserError(HOSTILE, 'error: forged')):
        assert error.args[0].startswith(HOSTILE)
        with pytest.raises(SystemExit), reported():
            raise error
    assert capsys.readouterr().err == f'error: {SHOWN}\\nerror: forged\nerror: {SHOWN}\nerror: forged\n'
    with pytest.raises(Stopped), reported():
        raise Stopped(2, HOSTILE)
    assert capsys.readouterr().err == f'{SHOWN}\n'


def test_lines(capsys):
    print_rank0(HOSTILE)
    mmengine_logging.print_log(HOSTILE)
    assert capsys.readouterr().out == f'{SHOWN}\n' * 2


def test_logs(tmp_path):
    logger = mmengine_logging.MMLogger('hostile', logger_name='hostile', log_file=str(tmp_path / 'run.log'))
    stream, seen = io.StringIO(), []
    for handler in logger.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(stream)
    logger.addFilter(lambda record: seen.append(record.getMessage()) or True)
    logger.warning('%s of %s', HOSTILE, HOSTILE)
    for told in (stream.getvalue(), (tmp_path / 'run.log').read_text()):
        assert told.endswith(f'{SHOWN} of {SHOWN}\n')
    assert seen == [f'{HOSTILE} of {HOSTILE}']


def test_tables():
    stream = io.StringIO()
    table = Table(HOSTILE)
    table.add_row(HOSTILE, style='green')
    console = PlainConsole(file=stream, width=200, force_terminal=True, highlight=False)
    console.print(table)
    console.print(HOSTILE, markup=False)
    told = stream.getvalue()
    for sent in ('\x1b[31m', '\x1b]', '\x07', '\x9b', '\x85', '\x7f', '\r', '\u202e', '\u2066', '\ud800'):
        assert sent not in told
    assert told.count('\\x1b[31m') == 3 and '\x1b[32m' in told  # its own


def test_a_locale_without_the_characters(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding='ascii')
    monkeypatch.setattr(sys, 'stdout', stream)
    with reported():
        print_rank0('ü')
    assert stream.buffer.getvalue() == b'\\xfc\n'


@pytest.mark.parametrize('value', [
    'a' * 10**6, [1] * 10**6, [[1]] * 500_000, {number: 'a' * 1000 for number in range(10**4)}, 10**4000, 10**5000,
    -10**5000, {1, 2, 3}, b'a' * 10**6, [['a' * 10**5] * 9] * 9],
    ids=lambda value: type(value).__name__)
def test_values_from_outside_are_shown_short(value):
    assert 0 < len(shown(value)) <= LONGEST + 3


def test_usual_values_are_shown_as_they_are():
    for value in ([1, 2, 'x', 4.5], "it's", 7, -1.5, None, True, {'a': [1, 2]}, (1, ), float('nan'), 'ü'):
        assert shown(value) == repr(value)
    assert shortened('a' * LONGEST) == 'a' * LONGEST and shortened('b' * (LONGEST + 1)) == 'b' * LONGEST + '...'


def test_a_mistake_is_told_in_bounds():
    """With the beginning, which names the file, and the end, which has the cure."""
    told = str(UserError(f'train.json: {"a" * 10**6}: correct it', 'b' * 10**5))
    assert told.startswith('train.json: aaa') and ': correct it\nbbb' in told and len(told) < 21_000
