"""Repairs run once, right after the module's body."""

import importlib
import inspect
import sys
from pathlib import Path

import pytest

from lgd_mm.compat.import_hook import when_imported


@pytest.fixture
def module_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / 'repaired_module.py').write_text('value = 1\n')
    monkeypatch.syspath_prepend(tmp_path)
    yield 'repaired_module'
    sys.modules.pop('repaired_module', None)


def test_action_runs_after_the_import(module_name: str) -> None:
    finders = list(sys.meta_path)
    seen = []
    when_imported(module_name, lambda module: seen.append(module.value))
    assert seen == []
    module = importlib.import_module(module_name)
    assert seen == [1] and sys.meta_path == finders
    assert inspect.getsource(module) == 'value = 1\n'


def test_action_runs_at_once_on_an_imported_module(module_name: str) -> None:
    module = importlib.import_module(module_name)
    when_imported(module_name, lambda module: setattr(module, 'value', 2))
    assert module.value == 2


def test_failing_import_raises_its_own_error(module_name: str, tmp_path: Path) -> None:
    (tmp_path / 'repaired_module.py').write_text('raise RuntimeError("its own")')
    when_imported(module_name, lambda module: pytest.fail('the body did not end'))
    with pytest.raises(RuntimeError, match='its own'):
        importlib.import_module(module_name)
    sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, 'name', '') != module_name]
