"""What is built, and what is said where it cannot be built."""

import importlib.util
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest
import torch

from lgd_mm.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, on a machine with a compiler and Python's headers, without CUDA toolkit and GPU."""
    spec = importlib.util.spec_from_file_location('build_mmcv_ops', ROOT / 'tools' / 'build_mmcv_ops.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    write_program(tmp_path / 'g++', '')
    (tmp_path / 'Python.h').touch()
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setattr(sysconfig, 'get_path', lambda name: str(tmp_path))
    monkeypatch.setattr(torch.version, 'cuda', '13.0')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    for name in ('CXX', 'CUDA_HOME', 'MMCV_OPS', 'TORCH_CUDA_ARCH_LIST', 'CPATH'):
        monkeypatch.delenv(name, raising=False)
    return module


def write_program(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n{line}\n')
    path.chmod(0o755)


def test_missing_compiler_and_headers(tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / 'Python.h').unlink()
    with pytest.raises(UserError, match=r'headers of Python are missing.*package python3\.\d+-dev'):
        tool.choose_kind()
    (tmp_path / 'g++').unlink()
    with pytest.raises(UserError, match=r'no C\+\+ compiler: g\+\+ is not on PATH, install it'):
        tool.choose_kind()


def test_unknown_kind(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('MMCV_OPS', 'gpu')
    with pytest.raises(UserError, match='MMCV_OPS=gpu is unknown: use cpu, cuda or auto'):
        tool.choose_kind()


def test_cuda_is_built_with_a_toolkit_and_an_architecture(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_program(tmp_path / 'cuda' / 'bin' / 'nvcc', 'echo Cuda compilation tools, release 13.0, V13.0.48')
    monkeypatch.setenv('CUDA_HOME', str(tmp_path / 'cuda'))
    monkeypatch.setenv('TORCH_CUDA_ARCH_LIST', '8.0')
    kind, environment = tool.choose_kind()
    assert kind == 'cuda'
    assert environment['CUDA_HOME'] == str(tmp_path / 'cuda') and environment['TORCH_CUDA_ARCH_LIST'] == '8.0'
    assert environment['CPATH'].endswith('nvidia/cu13/include')
    monkeypatch.setenv('MMCV_OPS', 'cpu')
    assert tool.choose_kind()[0] == 'cpu'


@pytest.mark.parametrize(
    ('release', 'reason'), [('12.4', r'not of the CUDA version of torch \(13\.0\)'), ('13.0', 'no GPU found')]
)
def test_reason_against_cuda_is_told(
    tool: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    release: str,
    reason: str,
) -> None:
    write_program(tmp_path / 'cuda' / 'bin' / 'nvcc', f'echo release {release}, V{release}.1')
    monkeypatch.setenv('CUDA_HOME', str(tmp_path / 'cuda'))
    assert tool.choose_kind()[0] == 'cpu'
    assert capsys.readouterr().out.startswith('building for the CPU: ')
    monkeypatch.setenv('MMCV_OPS', 'cuda')
    with pytest.raises(UserError, match=f'cannot build for CUDA: .*{reason}'):
        tool.choose_kind()
