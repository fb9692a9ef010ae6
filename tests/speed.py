"""What the libraries compute again for every run of a process, and tests with hundreds of runs want once."""

import functools
import os
from typing import Any

import mmengine.config.utils
import mmengine.runner.runner
import pytest
import yapf.yapflib.yapf_api as yapf


def compute_once(patch: pytest.MonkeyPatch) -> None:
    """Remember the metafiles behind ``mmdet::...``, which are read whole for each base of a config, the texts that yapf
    has formatted, and the versions that a log begins with."""
    patch.setattr(mmengine.config.utils, 'load', _of_unchanged_files(mmengine.config.utils.load))
    patch.setattr(yapf, 'FormatCode', _of_same_arguments(yapf.FormatCode))
    patch.setattr(mmengine.runner.runner, 'collect_env', functools.cache(mmengine.runner.runner.collect_env))


def _of_unchanged_files(load: Any) -> Any:
    @functools.cache
    def remembered(path: str, written: int, size: int) -> Any:
        return load(path)

    def cached(path: str) -> Any:
        facts = os.stat(path)
        return remembered(str(path), facts.st_mtime_ns, facts.st_size)

    return cached


def _of_same_arguments(function: Any) -> Any:
    remembered: dict[str, Any] = {}

    def cached(*args: Any, **options: Any) -> Any:
        key = repr((args, options))
        if key not in remembered:
            remembered[key] = function(*args, **options)
        return remembered[key]

    return cached
