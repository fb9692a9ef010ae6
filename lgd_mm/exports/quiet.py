"""The libraries' own chatter is kept from the user while they build, load and convert."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

from mmengine.logging import MMLogger


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Let nothing be printed, warned of or logged below the level of errors."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    mmengine = MMLogger.get_current_instance()
    mmengine.setLevel(mmengine.level)  # forgets what it found enabled before, as logging.disable() makes others do
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(level)
        mmengine.setLevel(mmengine.level)
