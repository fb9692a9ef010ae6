"""What a finished run left."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgd_mm.api.output import RESOLVED
from lgd_mm.runs.checkpoints import latest_checkpoint
from lgd_mm.runs.history import read_history

#: Logged beside the metrics of a validation.
NO_METRICS = ('step', 'time', 'data_time')


@dataclass(frozen=True)
class Run:
    """A finished pre-training or fine-tuning.

    Attributes:
        out (Path): Its folder.
        config (Path): The config with everything that was settled; ``tools/train.py`` takes it.
        checkpoint (Path, optional): The last one, to resume, evaluate or classify with.
        student (Path, optional): The bare backbone of a pre-training, ``student.safetensors``.
        losses (dict[str, float]): The last that were logged.
        metrics (dict[str, float]): Of the last validation; empty if there was none.
        history (list[dict[str, Any]]): All that was logged while training: ``iter``, ``loss``, its parts, ``lr``.
    """

    out: Path
    config: Path
    checkpoint: Path | None
    student: Path | None
    losses: dict[str, float]
    metrics: dict[str, float]
    history: list[dict[str, Any]]

    @classmethod
    def of(cls, out: str | Path) -> 'Run':
        """Read a run from its folder.

        Args:
            out (str | Path): The folder.

        Returns:
            Run: What it left so far.
        """
        folder = Path(out)
        history = read_history(folder)
        last: dict[str, Any] = history.training[-1] if history.training else {}
        evaluation: dict[str, Any] = history.evaluations[-1] if history.evaluations else {}
        student = folder / 'student.safetensors'
        return cls(
            out=folder,
            config=folder / RESOLVED,
            checkpoint=latest_checkpoint(str(folder)),
            student=student if student.is_file() else None,
            losses={key: value for key, value in last.items() if 'loss' in key},
            metrics={key: value for key, value in evaluation.items() if key not in NO_METRICS},
            history=history.training)
