"""Build mmcv's compiled operators into a wheel cache and install them into the running environment.

The wheel is bound to the exact versions of mmcv, torch and Python and to the kind (CPU or CUDA), and the cache is keyed
on all of them. ``MMCV_OPS=cpu`` or ``MMCV_OPS=cuda`` chooses the kind; without it CUDA is built where a toolkit of
torch's CUDA version and a GPU (or ``TORCH_CUDA_ARCH_LIST``) are found.

Needs pip, wheel, ninja and setuptools below 82 in the environment: ``make mmcv-ops`` sees to that.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from importlib import metadata
from pathlib import Path

import torch

from lgd_mm.errors import UserError, reported

CACHE = Path(__file__).parents[1] / 'wheels'
# Without the header every one of 150 files parses torch's headers again: ten minutes instead of two.
HEADER = '#include <torch/types.h>\n'
# The header counts only if it is compiled with the flags of the sources (those of torch's cpp_extension).
HEADER_FLAGS = '-std=c++17 -fPIC -DTORCH_API_INCLUDE_EXTENSION_H -DTORCH_EXTENSION_NAME=_ext'.split()
CFLAGS = '-DNDEBUG -fwrapv -O2 -g0 -w'
CHECK = (
    'import torch, mmcv._ext; from mmcv.ops import nms; assert mmcv._ext.__file__; '
    'boxes, scores = torch.tensor([[0., 0, 2, 2], [0, 0, 2, 2]]), torch.tensor([.1, .9]); '
    'assert nms(boxes, scores, .5)[1].tolist() == [1]'
)


def main() -> None:
    """Build, unless the cache has the wheel, then install and try it."""
    kind, environment = choose_kind()
    version = metadata.version('onedl-mmcv')
    key = f'mmcv{version}-torch{torch.__version__}-cp{sys.version_info[0]}{sys.version_info[1]}-{kind}'
    folder = CACHE / key
    if not list(folder.glob('*.whl')):
        build(version, kind, environment, folder)
    (wheel,) = folder.glob('*.whl')
    print(f'installing {wheel.relative_to(CACHE.parent)} ({wheel.stat().st_size / 1e6:.1f} MB)', flush=True)
    run(pip('install', '--no-deps', '--force-reinstall', str(wheel)), 'pip could not install the wheel')
    run([sys.executable, '-c', CHECK], 'the installed operators do not work')
    print('mmcv has compiled operators now; `make mmcv-plain` goes back to the plain package')


def choose_kind() -> tuple[str, dict[str, str]]:
    """``'cpu'`` or ``'cuda'``, and the environment variables that mmcv's build needs for it.

    Returns:
        tuple: The kind and the variables.

    Raises:
        UserError: If no C++ compiler is found, the kind is unknown, or CUDA is asked for and something is missing.
    """
    compiler = os.environ.get('CXX', 'g++')
    if shutil.which(compiler) is None:
        raise UserError(f'no C++ compiler: {compiler} is not on PATH, install it (Debian and Ubuntu: package g++)')
    if not Path(sysconfig.get_path('include'), 'Python.h').is_file():
        raise UserError(
            f'the C headers of Python are missing ({sysconfig.get_path("include")}/Python.h): install them '
            f'(Debian and Ubuntu: package python3.{sys.version_info[1]}-dev)'
        )
    wanted = os.environ.get('MMCV_OPS', 'auto')
    if wanted not in ('auto', 'cpu', 'cuda'):
        raise UserError(f'MMCV_OPS={wanted} is unknown: use cpu, cuda or auto')
    if wanted != 'cpu':
        home, obstacle = find_toolkit()
        if home is not None:
            print(f'building for CUDA with {home}', flush=True)
            return 'cuda', cuda_environment(home)
        if wanted == 'cuda':
            raise UserError(f'cannot build for CUDA: {obstacle}')
        print(f'building for the CPU: {obstacle}', flush=True)
    return 'cpu', dict(FORCE_CUDA='0', CUDA_VISIBLE_DEVICES='')


def find_toolkit() -> tuple[Path | None, str]:
    """The CUDA toolkit's folder, or None and the reason why there is none to use."""
    if torch.version.cuda is None:
        return None, 'the installed torch has no CUDA'
    nvcc = shutil.which('nvcc', path=os.pathsep.join([os.environ.get('CUDA_HOME', '') + '/bin', os.environ['PATH']]))
    nvcc = nvcc or shutil.which('/usr/local/cuda/bin/nvcc')
    if nvcc is None:
        return None, 'no CUDA toolkit (nvcc) found'
    told = re.search(r'release (\d+)\.', subprocess.run([nvcc, '--version'], capture_output=True, text=True).stdout)
    if told is None or told[1] != torch.version.cuda.split('.')[0]:
        return None, f'{nvcc} is not of the CUDA version of torch ({torch.version.cuda})'
    if not (torch.cuda.is_available() or os.environ.get('TORCH_CUDA_ARCH_LIST')):
        return None, 'no GPU found (set TORCH_CUDA_ARCH_LIST, e.g. 8.0 for an A100, to build for one elsewhere)'
    home = os.environ.get('CUDA_HOME') or '/usr/local/cuda'
    return (Path(home) if Path(home, 'bin', 'nvcc').exists() else Path(nvcc).resolve().parents[1]), ''


def cuda_environment(home: Path) -> dict[str, str]:
    """Variables for a CUDA build: torch guesses the toolkit wrongly, and cusparse.h lies beside torch."""
    version = str(torch.version.cuda).split('.')[0]
    headers = Path(sysconfig.get_path('purelib'), 'nvidia', f'cu{version}', 'include')
    path = os.pathsep.join(each for each in (str(headers), os.environ.get('CPATH')) if each)
    architectures = os.environ.get('TORCH_CUDA_ARCH_LIST') or '.'.join(map(str, torch.cuda.get_device_capability()))
    return dict(CUDA_HOME=str(home), FORCE_CUDA='1', TORCH_CUDA_ARCH_LIST=architectures, CPATH=path)


def build(version: str, kind: str, environment: dict[str, str], folder: Path) -> None:
    """Build the wheel of ``onedl-mmcv`` with its operators and put it into the cache folder."""
    minutes = 'two to four minutes' if kind == 'cpu' else 'twenty minutes or more'
    print(f'compiling the operators of mmcv {version} on {os.cpu_count()} cores: about {minutes}', flush=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        flags = dict(CFLAGS=CFLAGS)
        if kind == 'cpu':  # nvcc takes no precompiled header of g++
            flags['CFLAGS'] += f' -I{scratch} -include pch.h'
            precompile_header(scratch)
        # pip keeps wheels by name and version: without --no-cache-dir it would offer the plain one.
        command = pip('wheel', '--no-deps', '--no-build-isolation', '--no-cache-dir', '--no-binary', 'onedl-mmcv')
        run(
            [*command, '--wheel-dir', str(scratch), f'onedl-mmcv=={version}'],
            'the build failed, its output is above',
            **environment,
            **flags,
            MMCV_WITH_OPS='1',
            MAX_JOBS=os.environ.get('MAX_JOBS', str(os.cpu_count())),
        )
        (wheel,) = scratch.glob('*.whl')
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f'{wheel.name}.part'
        shutil.copyfile(wheel, partial)
        partial.replace(folder / wheel.name)
    print(f'built in {time.monotonic() - begin:.0f} s', flush=True)


def precompile_header(folder: Path) -> None:
    """Compile torch's main header once, with the flags of mmcv's sources."""
    from torch.utils.cpp_extension import include_paths

    (folder / 'pch.h').write_text(HEADER)
    includes = [f'-I{path}' for path in (*include_paths(), sysconfig.get_path('include'))]
    command = [os.environ.get('CXX', 'g++'), '-x', 'c++-header', str(folder / 'pch.h'), '-o', str(folder / 'pch.h.gch')]
    run([*command, *HEADER_FLAGS, *CFLAGS.split(), *includes], 'torch.h could not be compiled')


def pip(*arguments: str) -> list[str]:
    """A quiet pip command of this environment."""
    return [sys.executable, '-m', 'pip', *arguments, '--quiet', '--disable-pip-version-check', '--no-input']


def run(command: list[str], failure: str, **environment: str) -> None:
    """Run a command with additional environment variables.

    Raises:
        UserError: If it fails; its own output says why.
    """
    if subprocess.run(command, env=os.environ | environment).returncode != 0:
        raise UserError(failure)


if __name__ == '__main__':
    with reported():
        main()
