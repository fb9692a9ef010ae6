"""What can be known to be wrong with captions and questions before the libraries are imported."""

from collections.abc import Sequence
from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import read_metadata
from lgd_mm.runs.checkpoints import EXPORTED
from lgd_mm.vision_language.about import about_of_metadata


def check_student_does(path: str | Path, task: str) -> None:
    """See that a student is trained for what is asked of it, as far as that is known without torch.

    Args:
        path (str | Path): A file that is there, or the folder of a run.
        task (str): See :meth:`lgd_mm.vision_language.about.About.check_task`.

    Raises:
        UserError: If it is not.
    """
    file = Path(path) / EXPORTED if Path(path).is_dir() else Path(path)
    metadata = read_metadata(file) if file.is_file() else None
    if metadata is not None:
        about_of_metadata(metadata, file).check_task(task, file)


def check_questions(questions: Sequence[str]) -> None:
    """See that something is asked.

    Raises:
        UserError: If a question is empty, or there is none.
    """
    empty = next((number for number, question in enumerate(questions, 1) if not question.strip()), None)
    if empty is not None or not questions:
        which = f'question {empty}' if len(questions) > 1 else 'the question'
        raise UserError(f'{which} is empty: ask something, such as "what colour is the car?"')
