"""From a config in memory to the runner of ``tools/``."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from lgd_mm.api.output import RESOLVED, replaced
from lgd_mm.console.rank_zero import rank
from lgd_mm.engine import launch
from lgd_mm.io.lock import alone_in_run
from lgd_mm.safety.config_text import write_config


def processes() -> int:
    """How many train together: those that torchrun started, or this one alone."""
    return int(os.environ.get('WORLD_SIZE', 1)) if launcher() != 'none' else 1


def launcher() -> str:
    """How this process was started: ``'pytorch'`` (torchrun) or ``'none'``."""
    return 'pytorch' if 'TORCHELASTIC_RUN_ID' in os.environ else 'none'


def train(cfg: Config, out: str | Path, resume: bool, overwrite: bool, student: str | Path | None = None,
          tracker: str | None = None) -> Runner:
    """Train a whole config; the runner leaves it in ``out/resolved_config.py``.

    Args:
        cfg (Config): With every setting; it needs no other file.
        out (str | Path): Folder of the run.
        resume (bool): Go on from the last checkpoint in it.
        overwrite (bool): Replace the run in it.
        student (str | Path, optional): Weights to start the backbone from. Defaults to None.
        tracker (str, optional): See :func:`lgd_mm.pretrain`. Defaults to None.

    Returns:
        Runner: After training.

    Raises:
        UserError: If the user's set-up has a mistake.
    """
    # Not in out yet: a run that fails before it has begun leaves no folder.
    with tempfile.TemporaryDirectory() as scratch, _alone(out, overwrite):
        file = Path(scratch) / RESOLVED
        write_config(cfg, file)
        return launch.train(str(file), student=str(student) if student else None, work_dir=str(out),
                            resume='auto' if resume else None, tracker=tracker, launcher=launcher())


@contextmanager
def _alone(out: str | Path, overwrite: bool) -> Iterator[None]:
    """Of several processes, the first one keeps other runs out of the folder, and the run that is replaced."""
    if launcher() != 'none' and rank() > 0:
        yield
        return
    with alone_in_run(out), replaced(out, overwrite):
        yield
