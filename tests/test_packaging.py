"""The requirements agree with each other, and the built package has what MIM and the code look for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT

RANGES = ['runtime', 'openmmlab', 'tests', 'docs', 'optional', 'storage']


def read(name: str) -> list[str]:
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


@pytest.mark.parametrize('name', RANGES)
def test_pinned_set_lies_in_the_supported_ranges(name: str) -> None:
    pins = {Requirement(line).name: Requirement(line).specifier for line in read('constraints')}
    for line in read(name):
        requirement = Requirement(line)
        (pin,) = pins[requirement.name.lower().replace('_', '-')]
        assert pin.operator == '==' and requirement.specifier.contains(pin.version), f'{line} against {pin}'


def test_pinned_set_names_no_index_and_no_second_opencv() -> None:
    lines = read('constraints')
    assert all('==' in line and not line.startswith('-') and '://' not in line for line in lines)
    assert [line.split('==')[0] for line in lines if line.startswith('opencv')] == ['opencv-python-headless']


def test_built_package_has_its_data_and_the_folder_of_mim(built_package: Path) -> None:
    here = ROOT / 'lgd_mm'
    wanted = [file for file in here.rglob('*') if file.is_file() and not {'.mim', '__pycache__'} & set(file.parts)]
    assert [file for file in wanted if not (built_package / file.relative_to(here)).is_file()] == []
    mim = built_package / '.mim'
    assert of_mim(mim) == of_mim(ROOT)
    assert not any(path.is_symlink() for path in mim.iterdir())


def test_source_distribution_has_what_the_folder_of_mim_is_filled_from(built_package: Path) -> None:
    sources = (built_package.parents[1] / 'lgd_mm.egg-info' / 'SOURCES.txt').read_text().splitlines()
    assert of_mim(ROOT) <= set(sources)


def test_editable_install_links_to_the_checkout(tmp_path: Path) -> None:
    for name in ('setup.py', 'pyproject.toml', 'README.md', 'LICENSE', 'model-index.yml'):
        shutil.copy(ROOT / name, tmp_path)
    for name in ('configs', 'tools', 'requirements'):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / 'lgd_mm', tmp_path / 'lgd_mm', ignore=shutil.ignore_patterns('.mim', '__pycache__'))
    backend = 'import setuptools.build_meta as backend; print(backend.build_editable("."))'
    subprocess.run([sys.executable, '-c', backend], cwd=tmp_path, check=True, capture_output=True)
    mim = tmp_path / 'lgd_mm' / '.mim'
    assert {path.name: os.readlink(path) for path in mim.iterdir()} == {
        name: f'../../{name}' for name in ('configs', 'tools', 'model-index.yml')}
    assert of_mim(mim) == of_mim(ROOT)


def of_mim(root: Path) -> set[str]:
    """What MIM looks for, below a folder."""
    folders = [path for name in ('configs', 'tools') for path in os.walk(root / name, followlinks=True)]
    files = {os.path.relpath(os.path.join(folder, file), root) for folder, _, names in folders for file in names}
    found = {file for file in files if not file.endswith('.pyc')}
    return found | {path.name for path in root.glob('model-index.yml')}
