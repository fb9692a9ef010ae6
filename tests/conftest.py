"""Fixtures of the whole suite."""

import gc
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from tests.isolation import isolated
from tests.speed import spare

ROOT = Path(__file__).resolve().parents[1]
#: How many cases each test has that was collected, whether it runs or not, but for those of the night.
COLLECTED = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser):
    parser.addoption('--nightly', action='store_true', help='run the tests that take an hour, and all cases, too')


def _folder(variable: str, what: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f'{variable} is not set: it names the folder of {what}')
    folder = Path(value)
    assert folder.is_dir(), f'{variable}={value} is not a folder'
    return folder


@pytest.fixture(scope='session')
def data_dir() -> Path:
    """The folder of the real COCO and ADE20K samples."""
    return _folder('LGD_DATA_DIR', 'the real COCO and ADE20K samples')


@pytest.fixture(scope='session')
def golden_dir() -> Path:
    """The folder of fixtures made with the authors' code."""
    return _folder('LGD_GOLDEN_DIR', "fixtures made with the authors' code")


@pytest.fixture(scope='session', autouse=True)
def own_cache(tmp_path_factory):
    """Textual banks and zoos of tests stay out of the user's folders, also in the processes that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('LGD_CACHE_DIR', str(tmp_path_factory.mktemp('cache')))
        patch.setenv('LGD_ZOO_DIR', str(tmp_path_factory.mktemp('zoo')))
        yield


@pytest.fixture(scope='session', autouse=True)
def quick_libraries():
    """Hundreds of runs need less than one does."""
    with pytest.MonkeyPatch.context() as patch:
        spare(patch)
        yield


@pytest.fixture(scope='session', autouse=True)
def forks_may_train():
    """torch prepares its threads at the first backward pass: after ``torch.export`` or ``torch.compile`` those of a
    device would be among them, and no process that is forked could train."""
    torch.ones((), requires_grad=True).backward()


@pytest.fixture(autouse=True)
def isolation(tmp_path_factory):
    """Neither the order of the tests nor the worker they run in decides what they see."""
    with isolated(tmp_path_factory.getbasetemp()):
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Before any of them is left out, but those for which a night is needed."""
    usual = [item for item in items if not item.get_closest_marker('nightly')]
    config.stash[COLLECTED] = Counter(item.nodeid.partition('[')[0] for item in usual)
    if not config.getoption('--nightly'):
        items[:] = usual
    # Long files begin first, so that no worker waits for the other's at the end.
    slow = Counter(item.path for item in items if item.get_closest_marker('slow'))
    items.sort(key=lambda item: -slow[item.path])


def pytest_collection_finish() -> None:
    """What the imports have made stays: each later collection of garbage would go through its millions of objects."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope='session')
def built_package(tmp_path_factory) -> Path:
    """``lgd_mm`` as a wheel holds it."""
    folder = tmp_path_factory.mktemp('build')
    subprocess.run(
        [sys.executable, 'setup.py', '--quiet', 'egg_info', '--egg-base', str(folder)]
        + ['build', '--build-base', str(folder / 'base'), '--build-lib', str(folder / 'lib')],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return folder / 'lib' / 'lgd_mm'
