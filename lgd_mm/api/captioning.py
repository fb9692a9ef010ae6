"""Captions of images, by a student of vision and language."""

from collections.abc import Sequence
from pathlib import Path

from lgd_mm.api.auto import workers
from lgd_mm.api.embedding import paths_of
from lgd_mm.api.student import find_student
from lgd_mm.console.progress import still
from lgd_mm.vision_language import about
from lgd_mm.vision_language.caption import Captions, write_captions
from lgd_mm.vision_language.detector import detector_of
from lgd_mm.vision_language.student import load_student


def caption(student: str | Path,
            images: str | Path | Sequence[str | Path],
            detector: str | Path | None = None,
            *,
            config: str | Path | None = None,
            beams: int | None = None) -> Captions:
    """Write a caption for each image.

    Args:
        student (str | Path): A ``lgd_mm.VisionLanguageModel`` that was trained for ``lgd_mm.VLCaptioning``: its
            ``student.safetensors``, a checkpoint, or the folder of its training.
        images (str | Path | Sequence[str | Path]): A folder of images, an image, or several of them.
        detector (str | Path, optional): The detector whose regions it was trained on: the folder of a run of
            :func:`lgd_mm.finetune` or ``tools/train.py``, or a checkpoint; of a student that reads the cells of a grid,
            the student whose backbone they were of. Defaults to None: the teacher of ``config``.
        config (str | Path, optional): The config that its regions were extracted with. Defaults to None: that in the
            checkpoint.
        beams (int, optional): Captions that are followed at a time. Defaults to None: as it was trained.

    Returns:
        Captions: In the order of the images; what cannot be read is left out and named.

    Raises:
        UserError: If the student, the detector or the images cannot be used, the student does something else, or the
            detector is another one than that of its regions.
    """
    paths = paths_of(images)
    with still('reading the student and the detector'):
        model = load_student(find_student(student, bare=True), about.CAPTIONS)
        network = detector_of(model, detector, config)
    return write_captions(model, network, paths, beams, workers(1)[0])
