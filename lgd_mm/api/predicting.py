"""What a trained network finds in images and videos."""

from collections.abc import Sequence
from pathlib import Path

from lgd_mm.api.auto import workers
from lgd_mm.console.progress import still
from lgd_mm.errors import UserError
from lgd_mm.io.inputs import check_outside
from lgd_mm.prediction.network import load_network
from lgd_mm.prediction.outcome import Outcome
from lgd_mm.prediction.predict import Options
from lgd_mm.prediction.predict import predict as run
from lgd_mm.prediction.sources import find_sources


def predict(network: str | Path,
            images: str | Path | Sequence[str | Path],
            out: str | Path,
            *,
            task: str | None = None,
            ids: str | Path | None = None,
            score: float = 0.3,
            drawing: bool = True,
            every: int = 1,
            batch_size: int = 8) -> Outcome:
    """Predict images and videos with a trained classifier, detector or segmentor, and draw what it finds.

    In ``out`` are ``predictions.json`` (COCO's results) of detection, ``masks/`` and ``classes.txt`` of segmentation,
    or ``predictions.csv`` of classification; beside them ``images.json`` (the images in COCO's format), ``drawn/`` and
    ``index.html``, which shows the drawings. The same call goes on with what was stopped.

    Args:
        network (str | Path): Folder of a run of :func:`lgd_mm.finetune` or ``tools/train.py``, or a checkpoint in it.
        images (str | Path | Sequence[str | Path]): A folder of images and videos, a file, or several of them.
        out (str | Path): New folder, or one in which the same was begun.
        task (str, optional): ``'classification'``, ``'detection'``, ``'instance-segmentation'`` or ``'segmentation'``:
            a network of another one is refused. Defaults to None: what the network does.
        ids (str | Path, optional): Annotation file in COCO's format that names the images: their and the categories'
            ids are taken from it. Defaults to None: images and classes are counted from 1.
        score (float): Of the objects that are drawn, at least; files have all. Defaults to 0.3.
        drawing (bool): Draw. Defaults to True.
        every (int): Frames of a video from one to the next. Defaults to 1: all of them.
        batch_size (int): Images that are read at a time. Defaults to 8.

    Returns:
        Outcome: What was written, and what could not be read.

    Raises:
        UserError: If the network, an image or the folder cannot be used, or no image can be read.
    """
    if not 0 <= score <= 1:
        raise UserError(f'score is {score}: give a number from 0 to 1')
    if every < 1 or batch_size < 1:
        raise UserError(f'every is {every} and batch_size {batch_size}: give numbers from 1')
    check_outside(out, [images] if isinstance(images, (str, Path)) else images)
    sources = find_sources(images)
    options = Options(score, drawing, every, batch_size, None if ids is None else str(ids))
    with still('reading the network'):
        loaded = load_network(network, task)
    return run(loaded, sources, Path(out), options, workers(1)[0])
