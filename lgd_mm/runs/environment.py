"""What a figure was measured with."""

import functools
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

#: Packages whose versions decide whether a figure must be measured anew.
PACKAGES = ('lgd_mm', 'torch', 'torchvision', 'open_clip_torch', 'onedl-mmengine', 'onedl-mmcv', 'onedl-mmpretrain',
            'onedl-mmdetection', 'onedl-mmsegmentation', 'numpy')
#: Packages whose versions are only told.
TOLD = ('timm', 'faster_coco_eval')
#: What is known only of the machine one is on.
HARDWARE = ('platform', 'processor', 'threads')


@functools.cache
def _versions() -> dict[str, str]:
    known = {name: version(name) for name in (*PACKAGES, *TOLD)}
    return known | {'python': platform.python_version()}


def decisive_versions() -> dict[str, str]:
    """Versions that are part of what a run is."""
    return {name: number for name, number in _versions().items() if name not in TOLD}


def environment() -> dict[str, dict[str, Any]]:
    """``versions`` of the packages, and this ``machine`` without its GPU, which a run's log tells, with the date."""
    return dict(
        versions=dict(_versions()),
        machine=dict(
            platform=platform.platform(),
            processor=_processor(),
            threads=torch.get_num_threads(),
            date=time.strftime('%Y-%m-%d')))


def fast_bf16() -> bool:
    """Whether autocast pays: on a GPU, or on a processor with bf16 units."""
    return torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def _processor() -> str:
    """The processor's name; Linux tells it in /proc/cpuinfo only."""
    cpuinfo = Path('/proc/cpuinfo')
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = (line.split(':', 1)[1].strip() for line in lines if line.startswith('model name'))
    return next(names, platform.processor() or platform.machine())
