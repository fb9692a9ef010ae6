"""The requirements agree with each other, and the built package has what MIM and the code look for."""

import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
RANGES = ['runtime', 'openmmlab', 'tests', 'optional']


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


def test_built_package_has_its_data_and_the_folder_of_mim(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, 'setup.py', '--quiet', 'egg_info', '--egg-base', str(tmp_path)]
        + ['build', '--build-base', str(tmp_path / 'base'), '--build-lib', str(tmp_path / 'lib')],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    built = tmp_path / 'lib' / 'lgd_mm'
    here = ROOT / 'lgd_mm'
    wanted = [file for file in here.rglob('*') if file.is_file() and not {'.mim', '__pycache__'} & set(file.parts)]
    assert [file for file in wanted if not (built / file.relative_to(here)).is_file()] == []
    for name in ('configs', 'tools'):
        sources = {str(file.relative_to(ROOT)) for file in (ROOT / name).rglob('*.py')}
        assert sources == {str(file.relative_to(built / '.mim')) for file in (built / '.mim' / name).rglob('*.py')}
        assert not (built / '.mim' / name).is_symlink()
