"""What is evaluated: a student, which needs labelled images, or a fine-tuned network, which has its own."""

from pathlib import Path

from lgd_mm.api.output import RESOLVED
from lgd_mm.errors import UserError
from lgd_mm.safety.saved_config import is_pretraining


def config_of_finetuning(run: Path) -> Path | None:
    """The config of a fine-tuning.

    Args:
        run (Path): Its folder; or the folder of a pre-training, or a student's file.

    Returns:
        Path, optional: None for a student.
    """
    file = run / RESOLVED
    return None if not file.is_file() or is_pretraining(file) else file


def check_labelled(data: str | Path | None) -> str | Path:
    """See that there are images to evaluate a student on.

    Args:
        data (str | Path, optional): As the user gave it.

    Returns:
        str | Path: The same.

    Raises:
        UserError: If it is None.
    """
    if data is None:
        raise UserError('a student is evaluated on labelled images: give data, a folder with train/CLASS/* and '
                        'val/CLASS/*')
    return data
