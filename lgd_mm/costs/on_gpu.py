"""A backbone on the GPU, by PyTorch."""

import importlib
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from lgd_mm.costs.passes import latency, throughput, warm_up
from lgd_mm.costs.report import Timing


@torch.no_grad()
def time_on_gpu(backbone: nn.Module, size: int, batch: int, device: str = 'cuda') -> Timing:
    """Measure a backbone in half precision, with channels last in memory, as it is used on GPUs.

    Args:
        backbone (nn.Module): In eval mode; it is moved and stays there.
        size (int): Height and width of the images, in pixels.
        batch (int): Images of a pass for the throughput.
        device (str): Defaults to ``'cuda'``, the current GPU.

    Returns:
        Timing: Other work on the GPU is not seen.
    """
    form: dict[str, Any] = dict(device=device, dtype=torch.float16, memory_format=torch.channels_last)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    network = backbone.to(**form)
    image = torch.zeros(1, 3, size, size).to(**form)

    def run(images: torch.Tensor) -> None:
        network(images)
        torch.cuda.synchronize(device)

    warm_up(lambda: run(image))
    times = latency(lambda: run(image))
    peak = torch.cuda.max_memory_allocated(device)
    images = torch.zeros(batch, 3, size, size).to(**form)
    run(images)
    energy, missing = _energy_counter(device)
    begin = energy() if energy else None
    images_per_second, count = throughput(lambda: run(images), batch)
    joules = (energy() - begin) / count if energy and begin is not None else None
    return Timing(
        device='GPU', threads=None, **times._asdict(), images_per_second=images_per_second,
        runtime=f'PyTorch {torch.__version__.split("+")[0]}, float16, channels last, '
                f'{torch.cuda.get_device_name(device)}',
        memory_mb=(peak - before) / 2**20, joules=joules, no_joules=missing)


def _energy_counter(device: str) -> tuple[Callable[[], float] | None, str | None]:
    """The GPU's own counter in joules, or why there is none."""
    try:
        nvml = importlib.import_module('pynvml')
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByUUID(f'GPU-{torch.cuda.get_device_properties(device).uuid}')
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except ImportError:
        return None, 'the package nvidia-ml-py, which asks the GPU, is not installed'
    except Exception as error:  # NVML's own, of GPUs that do not count
        return None, f'the GPU does not tell its energy ({error})'
    return lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000, None
