"""Answers to questions about images, by a student of vision and language."""

from collections.abc import Sequence
from pathlib import Path

from lgd_mm.api.auto import workers
from lgd_mm.api.embedding import paths_of
from lgd_mm.api.student import find_student
from lgd_mm.console.progress import still
from lgd_mm.errors import UserError
from lgd_mm.vision_language import about
from lgd_mm.vision_language.ask import Answers, answer_questions, check_known_words
from lgd_mm.vision_language.detector import detector_of
from lgd_mm.vision_language.request import check_questions
from lgd_mm.vision_language.student import load_student


def ask(student: str | Path,
        images: str | Path | Sequence[str | Path],
        questions: str | Sequence[str],
        detector: str | Path | None = None,
        *,
        config: str | Path | None = None,
        top: int = 3) -> Answers:
    """Ask questions about images.

    Args:
        student (str | Path): A ``lgd_mm.VisionLanguageModel`` that was trained for ``lgd_mm.VLAnswering``, see
            :func:`lgd_mm.caption`.
        images (str | Path | Sequence[str | Path]): A folder of images, an image, or several of them.
        questions (str | Sequence[str]): A question, or several that are asked about each image.
        detector (str | Path, optional): See :func:`lgd_mm.caption`.
        config (str | Path, optional): The same.
        top (int): Answers to each, the likeliest ones. Defaults to 3.

    Returns:
        Answers: In the order of the images; what cannot be read is left out and named.

    Raises:
        UserError: If a question is empty, too long or of unknown words, or as of :func:`lgd_mm.caption`.
    """
    asked = [questions] if isinstance(questions, str) else list(questions)
    check_questions(asked)
    if top < 1:
        raise UserError(f'top is {top}: give a number from 1')
    paths = paths_of(images)
    with still('reading the student and the detector'):
        model = load_student(find_student(student, bare=True), about.ANSWERS)
        check_known_words(model, asked)  # before what takes long
        network = detector_of(model, detector, config)
    return answer_questions(model, network, paths, asked, top, workers(1)[0])
