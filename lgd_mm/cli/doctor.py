"""``lgd-mm doctor``: what is installed, what works, and the cure for what does not."""

import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import click

from lgd_mm.console.words import first_line
from lgd_mm.version import __version__

FAMILIES = ('mmengine', 'mmcv.ops', 'mmpretrain', 'mmdet', 'mmseg', 'open_clip', 'timm')
GIB = 2**30
#: Below these, runs are likely to fail.
LEAST_DISK, LEAST_MEMORY, LEAST_SHARED = 5 * GIB, 4 * GIB, GIB


class Finding(NamedTuple):
    """One line.

    Attributes:
        what (str): Such as ``'torch'``.
        state (str): What was found.
        cure (str): What to do; empty if all is well.
        broken (bool): Whether runs fail, not only may fail.
    """

    what: str
    state: str
    cure: str = ''
    broken: bool = False


@click.command()
def doctor() -> None:
    """Look at the installation and the machine; exit with 1 if something is broken."""
    broken = False
    for finding in examine():
        mark = '!!' if finding.broken else ' !' if finding.cure else 'ok'
        click.echo(f'{mark} {finding.what:<22}{finding.state}')
        if finding.cure:
            click.echo(f'   {"":<22}{finding.cure}')
        broken |= finding.broken
    if broken:
        sys.exit(1)


def examine() -> Iterator[Finding]:
    """All findings, in the order they are printed."""
    yield Finding('lgd_mm', f'{__version__}, Python {platform.python_version()}, {platform.platform()}')
    yield from _versions()
    yield from _imports()
    yield _operators()
    yield _configs()
    yield from _devices()
    yield from _disk_space()


def _versions() -> Iterator[Finding]:
    """Importing this package has compared them with the supported ranges already."""
    from lgd_mm.compat.versions import required
    yield from (Finding(name, version(name)) for name in sorted(required()))


def _imports() -> Iterator[Finding]:
    for name in FAMILIES:
        try:
            import_module(name)
        except Exception as error:  # whatever a broken installation raises
            yield Finding(f'import {name}', f'{name} fails: {type(error).__name__}: {first_line(error)}',
                          'install lgd_mm again into a new environment', broken=True)
    yield Finding('imports', ', '.join(name for name in FAMILIES if name.partition('.')[0] in sys.modules))


def _operators() -> Finding:
    from lgd_mm.compat.mmcv_ext import has_compiled_ext
    if has_compiled_ext():
        return Finding('mmcv ops', 'compiled')
    return Finding('mmcv ops', "nms and RoIAlign by torchvision's kernels, which all ready configs do with; no others")


def _configs() -> Finding:
    from lgd_mm.api.configs import config_root, ready_configs
    from lgd_mm.errors import UserError
    try:
        return Finding('configs', f'{len(ready_configs())} in {config_root()}')
    except UserError as error:
        return Finding('configs', 'missing', str(error), broken=True)


def _devices() -> Iterator[Finding]:
    import os

    import torch

    from lgd_mm.runs.environment import fast_bf16
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        yield Finding(f'GPU {index}', f'{name}, {free / GIB:.1f} of {total / GIB:.1f} GiB free')
    if not torch.cuda.is_available():
        cure = ''
        if shutil.which('nvidia-smi'):
            cure = (f'there is a driver, but torch {torch.__version__} sees no GPU: update the driver to CUDA '
                    f'{torch.version.cuda}, and look at CUDA_VISIBLE_DEVICES')
        yield Finding('GPU', 'none: everything runs on the CPU', cure)
    units = 'with' if fast_bf16() else 'without'
    yield Finding('CPU', f'{len(os.sched_getaffinity(0))} cores, {units} bf16 units')


def _disk_space() -> Iterator[Finding]:
    from lgd_mm.api.memory import free_memory
    from lgd_mm.io.cache import cache_folder
    memory = free_memory()
    yield Finding('memory', f'{memory / GIB:.1f} GiB free', '' if memory > LEAST_MEMORY else
                  'end other programs, or give a small --batch-size and --workers 0')
    yield _disk('disk', Path.cwd(), 'free disk space, or give an --out on another disk')
    yield _disk('cache', cache_folder(''), 'free disk space, or set LGD_CACHE_DIR to a folder on another disk')
    shared = Path('/dev/shm')  # nosec B108  # nothing is written there
    if shared.is_dir():
        free = shutil.disk_usage(shared).free
        yield Finding('shared memory', f'{free / GIB:.1f} GiB free', '' if free > LEAST_SHARED else
                      'loaders hand images over there: give --workers 0, or in a container --shm-size 8g')


def _disk(what: str, folder: Path, cure: str) -> Finding:
    """Room where a folder is or will be."""
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    return Finding(what, f'{free / GIB:.1f} GiB free in {folder}', '' if free > LEAST_DISK else cure)
