"""From a training, the bare student."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import EMAHook
from mmengine.runner import Runner
from torch import Tensor

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.io.files import save_torch
from lgd_mm.models.bare_model import bare_model
from lgd_mm.models.many_students import ManyStudents
from lgd_mm.students.file import FPN, PREFIX, student_metadata, write_student
from lgd_mm.students.read import read_student_file


def export_checkpoint(checkpoint: str | Path, out: str | Path) -> tuple[Path, Path]:
    """Write the backbone of a checkpoint with its metadata, and the pyramid that travels with it.

    Args:
        checkpoint (str | Path): A training checkpoint of lgd_mm, or any with ``backbone.`` keys.
        out (str | Path): File to write; both ``.safetensors`` and ``.pth`` are written next to each other.

    Returns:
        tuple[Path, Path]: The ``.safetensors`` and the ``.pth`` file.

    Raises:
        UserError: If the checkpoint cannot be read or the files cannot be written.
    """
    file = read_student_file(checkpoint)
    file.check_backbone()
    if file.left_out:
        print_rank0(file.left_out)
    out = Path(out)
    stem = out.with_suffix('') if out.suffix in ('.safetensors', '.pth') else out
    return write_student(file.backbone, file.metadata, stem, file.pyramid)


def export_runner(runner: Runner, out: str | Path, leave_out: Collection[str] = ()) -> list[Path]:
    """Write the backbone of a runner's model with its metadata; of ``lgd_mm.ManyStudents``, each student by itself,
    and beside it ``NAME.pth``, a checkpoint as it would have had alone. With an EMAHook it is the average, as in
    mmengine's checkpoints.

    Args:
        runner (Runner): Its model has a ``backbone`` or ``students``.
        out (str | Path): Path without suffix; several students add ``_NAME`` to it.
        leave_out (Collection[str]): Names of students not to write; ``''`` for a single one. Defaults to ().

    Returns:
        list[Path]: The ``.safetensors`` files; a ``.pth`` lies beside each.
    """
    model, averaged = trained_model(runner)
    if not isinstance(model, ManyStudents):
        if '' in leave_out:
            return []
        return [_export(model.state_dict(), runner.cfg.to_dict(), runner.iter, out, averaged)]
    files = []
    for name, student in model.students.items():
        if name in leave_out:
            continue
        shared = {key: value for key, value in runner.cfg.model.to_dict().items() if key not in ('type', 'students')}
        alone = Config(dict(model={**shared, **runner.cfg.model.students[name]}))
        state = student.state_dict()
        files.append(_export(state, alone.to_dict(), runner.iter, f'{out}_{name}', averaged))
        save_torch(Path(out).with_name(f'{name}.pth'),
                   dict(meta=dict(cfg=alone.pretty_text, iter=runner.iter, averaged=averaged), state_dict=state))
    return files


def trained_model(runner: Runner) -> tuple[Any, bool]:
    """What a training leaves.

    Args:
        runner (Runner): After training.

    Returns:
        tuple[Any, bool]: The model, not wrapped, and whether it is the average of an EMAHook, with the batch norms'
        statistics that belong to it.
    """
    average = next((hook.ema_model for hook in getattr(runner, 'hooks', ()) if isinstance(hook, EMAHook)), None)
    return (bare_model(runner.model), False) if average is None else (average.module, True)


def _export(state: Mapping[str, Tensor], config: Mapping[str, Any], iteration: int, out: str | Path,
            averaged: bool) -> Path:
    """Write the backbone of one model's state, and the pyramid that travels with it."""
    weights, neck = ({key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
                     for prefix in (PREFIX, FPN))
    return write_student(weights, student_metadata(config, iteration, state, averaged), out, neck)[0]
