"""The set-up script's decisions that cost nothing: what it recognises, removes and refuses."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HASHED = ['setup.py', 'pyproject.toml', 'lgd_mm/version.py', 'tools/make_env.sh']
PROGRAMS = ['bash', 'cat', 'cut', 'dirname', 'mkdir', 'mv', 'rm', 'sha256sum', 'touch', 'tee']


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a finished ``.venv`` of this Python."""
    for name in [*HASHED, *(str(file.relative_to(ROOT)) for file in (ROOT / 'requirements').glob('*.txt'))]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / '.venv/bin').mkdir(parents=True)
    (tmp_path / '.venv/bin/python').symlink_to(sys.executable)
    content = b''.join(file.read_bytes() for file in sorted((tmp_path / 'requirements').glob('*.txt')))
    content += b''.join((tmp_path / name).read_bytes() for name in HASHED)
    (tmp_path / '.venv/.made-tests').write_text(hashlib.sha256(content).hexdigest() + '\n')
    return tmp_path


def make_env(checkout: Path, python: str | None) -> subprocess.CompletedProcess:
    """Run the script where there is nothing on PATH but a few programs and, maybe, a Python; pip does not start."""
    programs = checkout / 'programs'
    programs.mkdir()
    (programs / 'pip.py').write_text('raise SystemExit(1)')
    for name in PROGRAMS:
        (programs / name).symlink_to(str(shutil.which(name)))
    if python is not None:
        (programs / 'python3').write_text(f'#!/bin/sh\n{python}\nexec {sys.executable} "$@"\n')
        (programs / 'python3').chmod(0o755)
    environment = {'PATH': str(programs), 'PYTHONPATH': str(programs), 'HOME': os.environ['HOME'], 'LC_ALL': 'C'}
    return subprocess.run(
        [str(programs / 'bash'), 'tools/make_env.sh', 'tests'],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_finished_environment_is_recognised(checkout: Path) -> None:
    done = make_env(checkout, python='')
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith('environment .venv is up to date')


@pytest.mark.parametrize('damage', ['unfinished', 'other python'])
def test_unusable_environment_is_removed(checkout: Path, damage: str) -> None:
    if damage == 'unfinished':
        (checkout / '.venv/.unfinished').touch()
    else:
        (checkout / '.venv/bin/python').unlink()
    done = make_env(checkout, python='')
    assert not (checkout / '.venv').exists()
    assert done.stdout.startswith('removing .venv: it is unfinished or of another Python')
    assert done.returncode == 2
    assert done.stderr.endswith('error: pip is missing: install it (on Debian or Ubuntu the package python3-pip)\n')


@pytest.mark.parametrize('python', ['3.9', None])
def test_environment_of_another_maker_is_left_alone(checkout: Path, python: str | None) -> None:
    (checkout / '.venv/.made-tests').unlink()
    program = checkout / '.venv/bin/python'
    program.unlink()
    if python:
        program.write_text(f'#!/bin/sh\necho {python}\n')
        program.chmod(0o755)
    done = make_env(checkout, python='')
    assert (done.returncode, done.stdout) == (2, '')
    minor = f'{sys.version_info.major}.{sys.version_info.minor}'
    assert done.stderr == (f'error: .venv is of Python {python or "an unknown version"}, not {minor}, and was not made '
                           'by this script: move it away\n')
    assert (checkout / '.venv/bin').exists()


def test_changed_requirements_are_noticed(checkout: Path) -> None:
    (checkout / 'requirements/runtime.txt').write_text('torch\n')
    done = make_env(checkout, python='')
    assert done.returncode == 2 and 'up to date' not in done.stdout
    assert (checkout / '.venv').exists()


@pytest.mark.parametrize('python', [None, 'exit 1'])
def test_no_supported_python(checkout: Path, python: str | None) -> None:
    done = make_env(checkout, python)
    assert done.returncode == 2
    assert done.stderr.startswith('error: no Python 3.10, 3.11 or 3.12 on PATH')
