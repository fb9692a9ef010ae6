"""What a single run needs, and tests with hundreds of runs do not: it is left out, or done once."""

import ast
import functools
import os
from typing import Any

import mmengine.runner.runner
import pytest
import yapf.yapflib.yapf_api as yapf

#: Characters of a config from which on it is only checked: yapf takes a second for one of a whole run.
LONG = 2000


def spare(patch: pytest.MonkeyPatch) -> None:
    """Leave the line breaks of long configs as they are, look up the versions that a log begins with once, and do not
    wait for the disk: what a killed process has written is there without it."""
    patch.setattr(yapf, 'FormatCode', _only_check_long_texts(yapf.FormatCode))
    patch.setattr(mmengine.runner.runner, 'collect_env', functools.cache(mmengine.runner.runner.collect_env))
    patch.setattr(os, 'fsync', os.fstat)  # which also refuses what is no open file


def _only_check_long_texts(format_code: Any) -> Any:
    def check(text: str, **options: Any) -> Any:
        if len(text) < LONG:
            return format_code(text, **options)
        ast.parse(text)  # raises SyntaxError, as yapf does
        return text, False

    return check
