"""Training checkpoint -> bare student."""

from pathlib import Path

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from lgd_mm.transfer.student import PREFIX, read_student, student_metadata, write_student


def export_checkpoint(checkpoint: str | Path, out: str | Path) -> tuple[Path, Path]:
    """Write the backbone of a checkpoint with its metadata.

    Args:
        checkpoint (str | Path): A training checkpoint of lgd_mm, or any with ``backbone.`` keys.
        out (str | Path): File to write; both ``.safetensors`` and ``.pth`` are written next to each other.

    Returns:
        tuple[Path, Path]: The ``.safetensors`` and the ``.pth`` file.

    Raises:
        UserError: If the checkpoint cannot be read or the files cannot be written.
    """
    weights, metadata = read_student(checkpoint)
    out = Path(out)
    return write_student(weights, metadata, out.with_suffix('') if out.suffix in ('.safetensors', '.pth') else out)


def export_runner(runner: Runner, out: str | Path) -> tuple[Path, Path]:
    """Write the backbone of a runner's model with its metadata.

    Args:
        runner (Runner): Its model has a ``backbone``.
        out (str | Path): Path without suffix.

    Returns:
        tuple[Path, Path]: The ``.safetensors`` and the ``.pth`` file.
    """
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    state = model.state_dict()
    weights = {key.removeprefix(PREFIX): value for key, value in state.items() if key.startswith(PREFIX)}
    return write_student(weights, student_metadata(runner.cfg, runner.iter, state), out)
