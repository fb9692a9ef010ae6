"""What a single run needs, and tests with hundreds of runs do not: it is left out, or done once."""

import copy
import functools
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mmengine.runner.loops
import mmengine.runner.runner
import pytest
import yapf.yapflib.yapf_api as yapf
from mmengine.config import Config

#: Characters of a config from which on it is only checked: yapf takes a second for one of a whole run.
LONG = 2000
#: Where configs lie that no test changes: those of this checkout and of the libraries.
SHIPPED = (str(Path(__file__).parents[1] / 'configs'), os.path.dirname(os.path.dirname(mmengine.__file__)))


def spare(patch: pytest.MonkeyPatch) -> None:
    """Leave out reports and the line breaks of long configs, read each shipped config and the versions that a log
    begins with once, and do not wait: not for the disk, as what a killed process has written is there without it, not
    two seconds before each further pass of a loop over iterations, and hardly for the next look at a run of a suite."""
    patch.setattr(yapf, 'FormatCode', _only_check_long_texts(yapf.FormatCode))
    patch.setattr(Config, '_file2dict', staticmethod(_read_shipped_once(Config._file2dict)))
    patch.setattr(mmengine.runner.runner, 'collect_env', functools.cache(mmengine.runner.runner.collect_env))
    patch.setattr(mmengine.runner.loops, 'time', SimpleNamespace(sleep=lambda seconds: None))
    patch.setattr('lgd_mm.suite.run.PAUSE', 0.02)
    patch.setattr(_report_hook(), 'write', _leave_out(_report_hook().write))  # it takes twice as long as a small run
    patch.setattr(os, 'fsync', os.fstat)  # which also refuses what is no open file


def with_reports(patch: pytest.MonkeyPatch) -> None:
    """Let pre-trainings write their reports."""
    patch.setattr(_report_hook(), 'write', _report_hook().write.__wrapped__)


def _report_hook() -> Any:
    from lgd_mm.engine.hooks.report import ReportHook  # not before the tests have imported what they need of mmdet
    return ReportHook


def _leave_out(write: Any) -> Any:
    @functools.wraps(write)
    def nothing(hook: Any, runner: Any) -> None:
        """Instead of a report."""

    return nothing


def _only_check_long_texts(format_code: Any) -> Any:
    def check(text: str, **options: Any) -> Any:
        if len(text) < LONG:
            return format_code(text, **options)
        compile(text, 'config', 'exec')  # raises SyntaxError, as yapf does; ast.parse fails at times, CPython's 106905
        return text, False

    return check


def _read_shipped_once(read: Any) -> Any:
    """Every run inherits some ten files, which take longer to read than a small step."""
    known: dict[Any, Any] = {}

    def once(filename: str, *args: Any, **options: Any) -> Any:
        path = os.path.abspath(filename)
        if not path.startswith(SHIPPED):
            return read(filename, *args, **options)
        key = path, args, *options.items()
        if key not in known:
            known[key] = read(filename, *args, **options)
        return copy.deepcopy(known[key])

    return once
