"""The one exception for a user's mistakes."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lgd_mm.console import interrupts
from lgd_mm.console.printable import print_any_text, printable
from lgd_mm.console.rank_zero import rank

#: Characters of one part of a sentence: what a name or a value from outside may make of it at most.
LONGEST = 10_000
#: Seconds: the processes of a run do not start at the very same time.
OTHERS_WAIT = 15


class UserError(Exception):
    """A mistake in the user's set-up, told in one sentence that names the file, key or value and the cure.

    Library code raises it; the entry points in ``tools/`` print it without a traceback and exit with code 2.

    Args:
        *parts (str): The sentence, and lines below it if there are any. Names in it are as they came: only what is
            printed is without control characters.
    """

    def __str__(self) -> str:
        return '\n'.join(map(_bounded, self.args))


def _bounded(part: object) -> str:
    """A part of a sentence, with its beginning and its end: the end has the cure."""
    text = str(part)
    if len(text) > LONGEST:
        text = f'{text[:LONGEST // 2]} ... {text[-LONGEST // 2:]}'
    return printable(text)


class Stopped(SystemExit):
    """A command was asked to stop by a signal; a run has saved what is needed to go on.

    Args:
        number (int): Of the signal; the exit status is 128 more, as a shell has it.
        sentence (str): What was done, and how to go on.
    """

    def __init__(self, number: int, sentence: str) -> None:
        super().__init__(128 + number)
        self.sentence = sentence

    def __str__(self) -> str:
        return printable(self.sentence)


@contextmanager
def reported() -> Iterator[None]:
    """Print a :class:`UserError` as one line on standard error and exit with code 2; :class:`Stopped` and Ctrl-C
    likewise, with 130.

    Of several processes, most often all make the same mistake: the first one tells it, and the launcher ends the others
    while they wait. A mistake that only one of the others makes, such as data missing on its machine, is still told.
    """
    print_any_text()
    interrupts.install()
    interrupts.install_ending(lambda number: Stopped(number, f'stopped by {signal.Signals(number).name}'))
    try:
        yield
    except KeyboardInterrupt:
        if rank() == 0:
            print('stopped', file=sys.stderr)
        sys.exit(interrupts.STATUS)
    except Stopped as stop:
        if rank() == 0:
            print(stop, file=sys.stderr)
        raise
    except UserError as error:
        if rank() > 0:
            time.sleep(OTHERS_WAIT)
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
