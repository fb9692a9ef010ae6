"""How much memory an image takes in training, and how much there is."""

import os
from pathlib import Path

import torch
from torch import Tensor, nn

#: Images shown to the network; batch-norm wants more than one.
PROBE = 2


def bytes_per_image(network: nn.Module, size: int) -> int:
    """What autograd keeps of one image for the backward pass, in float32, found by showing the network two.

    Args:
        network (nn.Module): On the CPU; takes images (B, 3, size, size).
        size (int): In pixels.

    Returns:
        int: Bytes.
    """
    parameters = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    state = {key: value.clone() for key, value in network.state_dict().items()}  # batch-norms move their statistics
    training = network.training
    network.train()
    with torch.random.fork_rng(devices=[]), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        # The outputs live until all is counted, so that no place in memory is used twice.
        outputs = network(torch.zeros(PROBE, 3, size, size))
    network.load_state_dict(state)
    network.train(training)
    del outputs
    return sum(kept.values()) // PROBE


def device_memory(processes: int) -> int:
    """Bytes that a training process may have, whatever else runs just now: all processes must find the same.

    Args:
        processes (int): That train together.

    Returns:
        int: Of the smallest GPU, or without GPUs a share of the machine's memory.
    """
    if torch.cuda.is_available():
        return min(torch.cuda.get_device_properties(index).total_memory for index in range(torch.cuda.device_count()))
    machine = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    return min(machine, _of_container('memory.max') or machine) // processes


def free_memory() -> int:
    """Bytes of the machine's memory that are free, as far as a container's limit lets this process have them."""
    lines = Path('/proc/meminfo').read_text().splitlines()
    free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith('MemAvailable'))
    limit = _of_container('memory.max')
    return free if limit is None else min(free, limit - (_of_container('memory.current') or 0))


def _of_container(name: str) -> int | None:
    """A figure of a container's memory; None without a limit."""
    try:
        return int(Path('/sys/fs/cgroup', name).read_text())
    except (OSError, ValueError):  # no container, or 'max'
        return None
