"""What the checkpoints of a suite need on the disk."""

import functools
import shutil
from collections.abc import Iterable
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from lgd_mm.console.quiet import quiet_loading
from lgd_mm.errors import UserError
from lgd_mm.students.backbone import build_backbone
from lgd_mm.suite.definition import Suite, resolved
from lgd_mm.suite.run import Run

#: Bytes for each run with which nothing is counted: to build every model takes seconds.
PLENTY = 10e9


def check_disk_space(suite: Suite, runs: Iterable[Run]) -> None:
    """Ask for disk space for all that is to do, before the first run starts.

    Args:
        suite (Suite): Its work dir exists.
        runs (Iterable[Run]): Those that are not done.

    Raises:
        UserError: If the disk has less.
    """
    runs = list(runs)
    free = shutil.disk_usage(suite.work_dir).free
    if free >= PLENTY * len(runs):
        return
    needed = sum(map(checkpoint_bytes, runs))
    if free < needed:
        raise UserError(f'{suite.work_dir} has {free / 1e9:.1f} GB left, and the checkpoints of {len(runs)} runs may '
                        f'need {needed / 1e9:.1f} GB: free some, give another folder with --work-dir, or fewer '
                        '--entries or --tasks')


def checkpoint_bytes(run: Run) -> int:
    """Disk space for the checkpoints of a run: weights, and two values for each in the optimiser.

    Args:
        run (Run): Any.

    Returns:
        int: Bytes, without those of checkpoints that are there; 0 if it only tests, or if its config does not tell.
    """
    if run.checkpoint:
        return 0
    try:
        needed = _bytes(run.config, run.options[1:])  # the seed comes first
    except Exception:  # its own run tells what is wrong with it
        return 0
    return max(0, needed - sum(file.stat().st_size for file in run.work_dir.glob('*.pth')))


@functools.cache
def _bytes(config: Path, options: tuple[str, ...]) -> int:
    cfg = resolved(config, options)
    saving = (cfg.get('default_hooks') or {}).get('checkpoint')
    if not saving or not cfg.get('train_cfg'):
        return 0
    total = cfg.train_cfg.get('max_iters') or cfg.train_cfg.get('max_epochs') or 0
    saved, kept = total // saving.get('interval', 1), saving.get('max_keep_ckpts', -1)
    return 3 * _weights(cfg) * max(1, min(saved, kept + 1) if kept > 0 else saved)  # the oldest goes after the newest


def _weights(cfg: Config) -> int:
    """Of the whole model; of one with a teacher, which is in no checkpoint, of the student's backbone."""
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope')), quiet_loading():
        model = build_backbone(cfg) if 'teacher' in cfg.model else MODELS.build(cfg.model)
    return sum(tensor.nbytes for tensor in model.state_dict().values())
