"""What the libraries say while they load a model and its data set: dropped by name."""

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator

#: Beginnings of printed lines: mmengine's checkpoint loader and pycocotools.
PRINTED = ('Loads checkpoint by local backend', 'loading annotations into memory', 'Done (t=', 'creating index',
           'index created!')
#: Beginnings of warnings (regular expressions): mmseg's loss and its annotation loader.
WARNED = ('Default ``avg_non_ignore`` is False', '`reduce_zero_label` will be deprecated')


@contextlib.contextmanager
def without_chatter() -> Iterator[None]:
    """Drop the known lines and warnings within the context; everything else comes through, printed at its end."""
    printed = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
            for message in WARNED:
                warnings.filterwarnings('ignore', message=message)
            yield
    finally:
        lines = printed.getvalue().splitlines(keepends=True)
        sys.stdout.writelines(line for line in lines if not line.startswith(PRINTED))
