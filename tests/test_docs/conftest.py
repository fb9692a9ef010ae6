"""The checkout that the pages are run in."""

import logging
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from tests.isolation import forget_runs
from tests.test_docs.checkout import copy_checkout, write_checkout, write_student
from tests.test_docs.commands import Page
from tests.tiny import ROOT

PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]


@pytest.fixture(scope='session')
def small_checkout(tmp_path_factory) -> Path:
    """Made once; every page has a copy."""
    folder = tmp_path_factory.mktemp('docs') / 'checkout'
    write_checkout(folder, PAGES)
    forget_runs()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_student(folder)
    forget_runs()
    return folder


@pytest.fixture
def page(small_checkout, tmp_path, monkeypatch):
    """Runs the blocks of a page in a checkout of its own."""
    monkeypatch.setenv('LOCAL_RANK', '0')  # the tools set it
    monkeypatch.setenv('LGD_ZOO_DIR', str(tmp_path / 'zoo'))  # what a page adds is listed by no other test
    folder = copy_checkout(small_checkout, tmp_path / 'checkout')
    # All are imported before the first is changed: a module would keep the page's folder for its own.
    for module in [import_module(f'lgd_mm.suite.{name}') for name in ('definition', 'config', 'launcher', 'run')]:
        monkeypatch.setattr(module, 'ROOT', folder)
    monkeypatch.setattr('lgd_mm.api.configs.PACKAGE', folder / 'lgd_mm')
    # Nobody reads how long exports take.
    monkeypatch.setattr('lgd_mm.deploy.export.time_graph', lambda *arguments: [])
    monkeypatch.setattr('lgd_mm.exports.figures.WARM_UP', 0)
    monkeypatch.setattr('lgd_mm.exports.figures.TIMED', 1)
    monkeypatch.setattr('lgd_mm.costs.passes.SECONDS', 0.1)
    yield Page(folder, monkeypatch)
    forget_runs()
    logging.disable(logging.NOTSET)  # a script may have silenced what it expects
    shutil.rmtree(folder)  # the checkpoints of a page are hundreds of megabytes
