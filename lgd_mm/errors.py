"""The exceptions for what a user can correct, and the exit codes of the commands."""

import errno
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lgd_mm.console import interrupts
from lgd_mm.console.printable import print_any_text, printable
from lgd_mm.console.rank_zero import rank
from lgd_mm.console.words import first_line

#: Characters of one part of a sentence: what a name or a value from outside may make of it at most.
LONGEST = 10_000
#: How the operating system says that there is no more of something.
RUN_OUT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
#: Seconds: the processes of a run do not start at the very same time.
OTHERS_WAIT = 15


class UserError(Exception):
    """A mistake in the user's set-up, told in one sentence that names the file, key or value and the cure.

    Library code raises it; the commands print it without a traceback and exit with its :attr:`status`. This class
    itself is for what was typed or written into a config; the kinds below are for what lies outside of that.

    Args:
        *parts (str): The sentence, and lines below it if there are any. Names in it are as they came: only what is
            printed is without control characters.
    """

    #: Exit code of the kind, see ``docs/troubleshooting.md``.
    code = 2

    @property
    def status(self) -> int:
        """Exit code of the command: that of its kind, unless something had run out."""
        return ExhaustedError.code if has_run_out(self.__cause__) else self.code

    def __str__(self) -> str:
        return '\n'.join(map(_bounded, self.args))


class DataError(UserError):
    """A file or data set that is there, but damaged, incomplete or something else than it should be."""

    code = 3


class MissingError(UserError):
    """A package that is not installed, or weights that can be neither found nor fetched."""

    code = 4


class DivergedError(UserError):
    """A training whose numbers are no longer finite."""

    code = 5


class ExhaustedError(UserError):
    """Memory, disk space or open files that the machine has no more of."""

    code = 6


def has_run_out(error: BaseException | None) -> bool:
    """Whether an error is that of a machine that has no more memory, disk space or open files.

    Args:
        error (BaseException, optional): Of any library; torch's own is known by its name, so that it is not imported.
    """
    return (isinstance(error, (MemoryError, ExhaustedError)) or type(error).__name__ == 'OutOfMemoryError'
            or isinstance(error, OSError) and error.errno in RUN_OUT)


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
    """Print a :class:`UserError` as one line on standard error and exit with its code; :class:`Stopped` and Ctrl-C
    likewise, with 130, and what no sentence was found for, but the machine has run out of.

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
        sys.exit(error.status)
    except Exception as error:
        if not has_run_out(error):
            raise
        print(f'error: the machine has run out of what this takes ({printable(first_line(error))}): free memory or '
              'disk space, or give smaller batches and fewer workers', file=sys.stderr)
        sys.exit(ExhaustedError.code)
