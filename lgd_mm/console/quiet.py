"""What the libraries print, warn of and log: what says nothing to a user of this package is dropped."""

import copy
import io
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import mmengine.logging
from mmengine.logging import MMLogger
from mmengine.logging.logger import MMFormatter

from lgd_mm.console.printable import printable

# print_log() calls of mmdet and mmseg about a commercial data service (printed, whatever their level).
PRINTED = ('Could not import OneDL', 'Could not import OneDL. Skipping OneDL datasets.')

# Beginnings of what mmengine's CheckpointHook logs in each run; the launcher filters the run's logger.
LOGGED = ('"FileClient" will be deprecated', '"HardDiskBackend" is the alias')

# Beginnings of what mmengine's checkpoint loader and pycocotools print while a model and its data set are loaded.
LOADING = ('Loads checkpoint by local backend', 'loading annotations into memory', 'Done (t=', 'creating index',
           'index created!')

# Category, start of the message (a regular expression) and the module that issues it.
WARNED: tuple[tuple[type[Warning], str, str], ...] = (
    (ImportWarning, '``MultiScaleDeformableAttention`` has been moved', r'mmcv\.cnn\.bricks\.transformer'),
    (DeprecationWarning, r'`torch\.jit\.(script|interface)` is deprecated', r'torch\.jit'),
    # Of compiling the libraries' sources once, on Python 3.12: the module is named by its file then.
    (SyntaxWarning, 'invalid escape sequence', r'.*/site-packages/(mmdet|mmpretrain)/'),
    (UserWarning, r'In MMCV v1\.4\.4, we modified the default value', r'mmcv\.cnn\.bricks\.hsigmoid'),
    (UserWarning, "Only use 'alpha' for pillow backend", r'mmcv\.image\.photometric'),
    (UserWarning, "'pin_memory' argument is set as true but no accelerator", r'torch\.utils\.data\.dataloader'),
    (UserWarning, 'Default ``avg_non_ignore`` is False', r'mmseg\.models\.losses'),
)
# The same of mmseg's annotation loader.
WARNED_LOADING = '`reduce_zero_label` will be deprecated'


def silence_known_messages() -> None:
    """Drop the known messages; everything else is printed as before."""
    for category, message, module in WARNED:
        warnings.filterwarnings('ignore', message=message, category=category, module=module)
    print_log = mmengine.logging.print_log

    def quiet_print_log(msg: Any, *args: Any, **kwargs: Any) -> None:
        """As ``mmengine.logging.print_log``, less the known messages."""
        if msg not in PRINTED:
            print_log(printable(msg, lines=True), *args, **kwargs)

    mmengine.logging.print_log = quiet_print_log


def show_control_characters() -> None:
    """Let mmengine's loggers show the control characters of names, which a terminal would take for commands."""
    format_any = MMFormatter.format

    def format_plain(self: MMFormatter, record: logging.LogRecord) -> str:
        """As mmengine's."""
        plain = copy.copy(record)  # of which other handlers get the text as it came
        plain.msg, plain.args = printable(record.getMessage(), lines=True), None
        text: str = format_any(self, plain)
        return text

    MMFormatter.format = format_plain


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Drop what is known of loading a model and its data set; everything else comes through, printed at the end."""
    printed = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(printed):
            warnings.filterwarnings('ignore', message=WARNED_LOADING)
            yield
    finally:
        lines = printed.getvalue().splitlines(keepends=True)
        sys.stdout.writelines(line for line in lines if not line.startswith(LOADING))


@contextmanager
def quietly() -> Iterator[None]:
    """Let nothing be printed, warned of or logged below the level of errors."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    mmengine_logger = MMLogger.get_current_instance()
    mmengine_logger.setLevel(mmengine_logger.level)  # forgets what it found enabled, as logging.disable() makes others
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(level)
        mmengine_logger.setLevel(mmengine_logger.level)
