"""What was written for the names of 0.1 still runs, and is told the new ones."""

import importlib
import importlib.util
import sys
import warnings

import pytest

import lgd_mm
from lgd_mm import api, language
from lgd_mm.moved import MOVED, PACKAGES, current_name


def test_every_old_module_is_found() -> None:
    """In any order: some are packages of others."""
    for old, now in MOVED.items():
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', FutureWarning)
            module = importlib.import_module(f'lgd_mm.{old}')
        names = [name for name in vars(importlib.import_module(f'lgd_mm.{now.split()[0]}')) if not name.startswith('_')]
        assert all(hasattr(module, name) for name in names), old


@pytest.mark.parametrize(('module', 'name', 'now'), [
    ('transfer.student', 'read_student', 'students.read:read_student'),
    ('benchmark.suite', 'Suite', 'suite.definition:Suite'),
    ('compat.safe_load', 'refuse_unsafe_checkpoints', 'compat.checkpoints:refuse_unsafe_checkpoints'),
    ('engine.preflight', 'latest_checkpoint', 'runs.checkpoints:latest_checkpoint'),
    ('say', 'say', 'console.rank_zero:print_rank0'),
    ('pictures', 'open_picture', 'io.images:open_image'),
    ('api.images', 'pictures_in', 'api.images:images_in'),
    ('models', 'CachedTeacher', 'teacher_cache:CachedTeacher'),
    ('console', 'PlainConsole', 'console.tables:PlainConsole'),
    ('engine.hooks', 'IterationSeedHook', 'engine.hooks.iteration_seed:IterationSeedHook'),
])
def test_old_names_lead_to_the_new_ones(module: str, name: str, now: str) -> None:
    place, _, renamed = now.partition(':')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', FutureWarning)
        found = getattr(importlib.import_module(f'lgd_mm.{module}'), name)
    assert found is getattr(importlib.import_module(f'lgd_mm.{place}'), renamed)


def test_an_old_name_says_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, 'lgd_mm.segmentation', raising=False)
    with pytest.warns(FutureWarning, match='^lgd_mm.segmentation is now lgd_mm.lean_mmseg$'):
        importlib.import_module('lgd_mm.segmentation')
    with pytest.warns(FutureWarning, match='^lgd_mm.datasets.CachedImages is now lgd_mm.teacher_cache.CachedImages$'):
        assert lgd_mm.datasets.CachedImages


def test_no_other_name_is_found() -> None:
    for module in ('lgd_mm.transfer.student', 'lgd_mm.models', 'lgd_mm.api.images', 'lgd_mm.console'):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', FutureWarning)
            imported = importlib.import_module(module)
        with pytest.raises(AttributeError, match='nowhere'):
            getattr(imported, 'nowhere')  # noqa: B009
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module('lgd_mm.nowhere')


def test_a_module_is_known_by_either_name() -> None:
    assert current_name('lgd_mm.segmentation') == current_name('lgd_mm.lean_mmseg') == 'lgd_mm.lean_mmseg'
    assert current_name('os.path') == 'os.path'


def test_every_place_exists() -> None:
    places = {place for known in (MOVED, PACKAGES) for found in known.values() for place in found.split()}
    assert [place for place in sorted(places) if importlib.util.find_spec(f'lgd_mm.{place}') is None] == []


def test_other_names_are_not_found() -> None:
    assert current_name('lgd_mm.language') == 'lgd_mm.language' and current_name('os') == 'os'
    for name in ('lgd_mm.nothing', 'lgd_mm.benchmark.nothing', 'lgd_mm.console.nothing'):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)


@pytest.mark.parametrize('package, name', [(lgd_mm, 'pretrain'), (api, 'Embeddings'), (language, 'textual_bank')])
def test_names_that_are_imported_later(package: object, name: str) -> None:
    assert name in dir(package) and '__doc__' in dir(package) and getattr(package, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        getattr(package, 'nothing')  # noqa: B009
