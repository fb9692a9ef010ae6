"""The one exception for a user's mistakes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """A mistake in the user's set-up, told in one sentence that names the file, key or value and the cure.

    Library code raises it; the entry points in ``tools/`` print it without a traceback and exit with code 2.
    """


@contextmanager
def reported() -> Iterator[None]:
    """Print a :class:`UserError` as one line on standard error and exit with code 2."""
    try:
        yield
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
