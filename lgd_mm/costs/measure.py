"""All figures of one backbone."""

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm

from lgd_mm.console.progress import still
from lgd_mm.costs.on_cpu import time_on_cpu
from lgd_mm.costs.on_gpu import time_on_gpu
from lgd_mm.costs.report import Cost, Timing
from lgd_mm.costs.request import BATCH, SIZE, check_request, cores
from lgd_mm.errors import UserError
from lgd_mm.models.features import own_size
from lgd_mm.registry import MODELS
from lgd_mm.runs.environment import environment
from lgd_mm.students.backbone import build_backbone, describe
from lgd_mm.students.complexity import Complexity, complexity


def measure_cost(student: str, backbone: Mapping[str, Any], size: int = SIZE, batch: int = BATCH,
                 threads: Sequence[int] | None = None) -> Cost:
    """Count and time a backbone, with random weights: they change neither.

    Args:
        student (str): What it is called in the result.
        backbone (Mapping[str, Any]): Its config, which may be built.
        size (int): Height and width of the images, in pixels. Defaults to 224.
        batch (int): Images of a pass for the throughput. Defaults to 32.
        threads (Sequence[int], optional): Of the CPU. Defaults to None: 1, and all cores.

    Returns:
        Cost: Measured now, on this machine.

    Raises:
        UserError: If a value cannot be used, or the backbone takes no images of that size.
    """
    threads = sorted(set(threads if threads is not None else (1, cores())))
    check_request(size, batch, threads)
    network, counted = _built(backbone, size)
    timings: list[Timing] = []
    missing: list[str] = []
    with still(f'measuring {student}'):
        try:
            timings += time_on_cpu(network, size, batch, threads)
        except UserError as error:
            missing.append(f'Not measured on the CPU: {error}.')
        if torch.cuda.is_available():
            timings.append(time_on_gpu(network, size, batch))
        else:
            missing.append('There is no GPU.')
    about = environment()
    return Cost(
        student=student, architecture=describe(backbone), size=size, batch=batch, **counted._asdict(), timings=timings,
        missing=missing, processor=about['machine']['processor'], cores=cores(), versions=about['versions'],
        date=about['machine']['date'], key=cost_key(backbone, size, batch, threads))


def cost_key(backbone: Mapping[str, Any], size: int, batch: int, threads: Sequence[int]) -> str:
    """Changes with what the figures depend on: also the versions and the machine, but not how busy that is. Which maps
    a backbone gives beside its last one, as for dense guidance, costs nothing.

    Args:
        backbone (Mapping[str, Any]): Its config.
        size (int): See :func:`measure_cost`.
        batch (int): See :func:`measure_cost`.
        threads (Sequence[int]): See :func:`measure_cost`.
    """
    about = environment()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    network = {key: value for key, value in backbone.items() if key != 'out_indices'}
    parts = [network, _last_map(backbone), size, batch, sorted(set(threads)), about['versions'],
             about['machine']['processor'], cores(), gpu]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _last_map(backbone: Mapping[str, Any]) -> Any:
    """Place of the map that is measured: the last that the config asks for, or that its class gives by itself."""
    given = backbone.get('out_indices')
    if given is None:
        own = inspect.signature(MODELS.get(str(backbone['type']))).parameters.get('out_indices')
        given = own and own.default
    return given[-1] if isinstance(given, Sequence) else given


def _built(backbone: Mapping[str, Any], size: int) -> tuple[torch.nn.Module, Complexity]:
    """The network, which takes images of a size, and what it is made of."""
    config = dict(default_scope='mmpretrain', model=dict(backbone=dict(backbone)))
    network = revert_sync_batchnorm(build_backbone(Config(config)))
    network.eval()
    network.requires_grad_(False)
    try:
        return network, complexity(network, size, size)
    except (AssertionError, IndexError, RuntimeError, ValueError) as error:
        raise UserError(f'the student ({describe(backbone)}) takes no images of {size} x {size} pixels: give it those '
                        f'of {own_size(network)} (--size {own_size(network)})') from error
