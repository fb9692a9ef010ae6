"""Curves in TensorBoard or Weights & Biases, beside those of the log."""

import importlib.util
import netrc
import os
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.visualization import WandbVisBackend

from lgd_mm.errors import MissingError
from lgd_mm.registry import VISBACKENDS

#: Names for ``--tracker``, which are also those of the packages.
TRACKERS = ('tensorboard', 'wandb')


def set_tracker(cfg: Config, tracker: str) -> str:
    """Log to a tracker as well.

    Weights & Biases keeps the run in the work dir unless a key of it was put on this machine, or ``WANDB_MODE`` says
    otherwise.

    Args:
        cfg (Config): Changed in place: ``visualizer.vis_backends``.
        tracker (str): One of :data:`TRACKERS`.

    Returns:
        str: How to see the curves.

    Raises:
        UserError: If its package is not installed.
    """
    if importlib.util.find_spec(tracker) is None:
        raise MissingError(f'--tracker {tracker} needs the package {tracker}, which is not installed: pip install '
                           f'{tracker}')
    cfg.visualizer = {'type': 'Visualizer', **(cfg.get('visualizer') or {})}
    backends = list(cfg.visualizer.get('vis_backends') or [dict(type='LocalVisBackend')])
    if tracker == 'tensorboard':
        backend: dict[str, Any] = dict(type='TensorboardVisBackend')
        told = f'curves: tensorboard --logdir {cfg.work_dir}'
    else:
        run = Path(cfg.work_dir)
        offline = not os.environ.get('WANDB_MODE') and not _has_key()
        backend = dict(type='lgd_mm.WandbBackend', init_kwargs=dict(project='lgd_mm', name=run.name))
        if offline:
            backend['init_kwargs']['mode'] = 'offline'
            os.environ.setdefault('WANDB_ERROR_REPORTING', 'false')
        told = (f'curves: no key of Weights & Biases here, so the run stays in {run}; after wandb login, wandb sync '
                f'{run}/*/vis_data/wandb/offline-run-* sends it' if offline else 'curves: at Weights & Biases')
    if all(one['type'].split('.')[-1] != backend['type'].split('.')[-1] for one in backends):
        backends.append(backend)
    cfg.visualizer.vis_backends = backends
    return told


def _has_key() -> bool:
    """Whether the user set up Weights & Biases on this machine: a key, or ``wandb login``."""
    if os.environ.get('WANDB_API_KEY'):
        return True
    host = os.environ.get('WANDB_BASE_URL', 'https://api.wandb.ai').split('//')[-1].split('/')[0].split(':')[0]
    try:
        return netrc.netrc(os.environ.get('NETRC')).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False


@VISBACKENDS.register_module()
class WandbBackend(WandbVisBackend):
    """mmengine's, which copies every Python file below the current folder into the run. This one keeps the config
    alone."""

    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Record the config."""
        self.experiment.config.update(config.to_dict(), allow_val_change=True)
