"""The processes of a run: they meet, wait for each other and part."""

import os
from datetime import timedelta
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import get_world_size, init_dist, is_distributed
from torch import distributed
from torch.distributed.constants import default_pg_timeout
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.engine import settings
from lgd_mm.engine.checks import preflight


def start_processes(cfg: Config) -> None:
    """Join the other processes; without GPUs they talk over gloo, which mmengine does not choose by itself.

    Args:
        cfg (Config): With ``launcher``; on the CPU, SyncBN becomes BN in it.

    Raises:
        UserError: If there are more processes than GPUs, or the launcher needs GPUs.
    """
    preflight.check_processes(cfg.launcher)
    if cfg.launcher == 'none' or is_distributed():
        return
    if torch.cuda.is_available():
        group = (cfg.get('env_cfg') or {}).get('dist_cfg', dict(backend='nccl'))
        init_dist(cfg.launcher, **group, **_store_of_this_attempt(cfg))
        return
    distributed.init_process_group('gloo', timeout=patience(cfg), **_store_of_this_attempt(cfg))
    replaced = settings.set_cpu_processes(cfg)
    print_rank0(f'no GPU here: {get_world_size()} processes on the CPU, over gloo'
        + ('; SyncBN, which needs GPUs, becomes BN' if replaced else ''))


def end_processes() -> None:
    """Part from the other processes when all are done: gloo's threads abort a process that ends before them."""
    if is_distributed():
        distributed.barrier()
        distributed.destroy_process_group()


def patience(cfg: Config) -> timedelta | None:
    """How long a process waits for the others, by ``env_cfg.dist_cfg.timeout``.

    Args:
        cfg (Config): The whole config.

    Returns:
        timedelta, optional: None if it does not say: as long as torch does.
    """
    seconds = ((cfg.get('env_cfg') or {}).get('dist_cfg') or {}).get('timeout')
    return None if seconds is None else timedelta(seconds=seconds)


def _store_of_this_attempt(cfg: Config) -> dict[str, Any]:
    """Where processes meet that torchrun has begun again.

    It keeps its store, and with it the addresses of the processes before, which the new ones would try to reach.
    """
    attempt = os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')
    if attempt == '0':
        return {}
    store, rank, world_size = next(rendezvous('env://', timeout=patience(cfg) or default_pg_timeout))
    return dict(store=PrefixStore(f'attempt {attempt}', store), rank=rank, world_size=world_size)
