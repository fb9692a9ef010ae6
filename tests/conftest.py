"""Fixtures of the whole suite."""

import os
from pathlib import Path

import pytest


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
    """Textual banks of tests stay out of the user's cache, also in the processes that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('LGD_CACHE_DIR', str(tmp_path_factory.mktemp('cache')))
        yield
