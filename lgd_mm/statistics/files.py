"""``image_results.npz``: what each test image adds to each metric of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from lgd_mm.errors import UserError
from lgd_mm.io.files import replacing
from lgd_mm.statistics.detections import Detections
from lgd_mm.statistics.image_results import Areas, ImageResults, RightOrWrong

NAME = 'image_results.npz'
KINDS = {kind.kind: kind for kind in (RightOrWrong, Areas, Detections)}
#: Arrays of more bytes together are none of ours: COCO's take some ten million.
LARGEST = 1 << 30


@dataclass
class KeptResults:
    """Of one run.

    Attributes:
        images (list[str]): Names of the N test images, in their order.
        classes (list[str]): Names of the classes.
        metrics (dict[str, ImageResults]): By the key of the metric, such as ``'coco/bbox_mAP'``.
    """

    images: list[str]
    classes: list[str]
    metrics: dict[str, ImageResults]


def write(results: KeptResults, file: Path) -> None:
    """Write a whole file or none.

    Args:
        results (KeptResults): Of a run.
        file (Path): ``image_results.npz``.
    """
    arrays: dict[str, Any] = dict(images=np.array(results.images, str), classes=np.array(results.classes, str))
    for key, metric in results.metrics.items():
        for name, value in vars(metric).items():
            arrays[f'{key}:{metric.kind}:{name}'] = _small(np.asarray(value))
    with replacing(file) as part, open(part, 'wb') as content:
        np.savez_compressed(content, **arrays)


def read(file: Path) -> KeptResults | None:
    """What a run has left; None if it has left none.

    Args:
        file (Path): ``image_results.npz``.

    Returns:
        KeptResults, optional: Checked to be of one number of images.

    Raises:
        UserError: If it is no such file.
    """
    if not file.is_file():
        return None
    try:
        return _read(file)
    except (ValueError, LookupError, TypeError, AttributeError, OSError, BadZipFile, MemoryError, EOFError) as error:
        raise UserError(f'{file} holds no results of images ({error}): delete it, and the same command measures them '
                        'again') from error


def _read(file: Path) -> KeptResults:
    with np.load(file, allow_pickle=False) as content:
        sizes = [info.file_size for info in content.zip.infolist()]
        if sum(sizes) > LARGEST:
            raise ValueError(f'its arrays would take {sum(sizes)} bytes')
        arrays = {name: content[name] for name in content.files}
    fields: dict[tuple[str, str], dict[str, Any]] = {}
    for name, value in arrays.items():
        if ':' in name:
            key, kind, field = name.rsplit(':', 2)
            fields.setdefault((key, kind), {})[field] = value if value.ndim else value.item()
    images = [str(name) for name in arrays['images']]
    metrics: dict[str, ImageResults] = {key: KINDS[kind](**parts) for (key, kind), parts in fields.items()}
    for key, metric in metrics.items():
        if len(metric) != len(images):
            raise ValueError(f'{key} is of {len(metric)} images, and there are {len(images)}')
        for compute in (metric.values, metric.of_classes):  # arrays that do not fit each other end here
            compute(np.ones((1, len(images))))
    return KeptResults(images, [str(name) for name in arrays['classes']], metrics)


def _small(values: NDArray[Any]) -> NDArray[Any]:
    """Integers in the smallest type that holds them, and numbers in single precision."""
    if values.dtype.kind == 'f':
        return values.astype(np.float32)
    if values.dtype.kind in 'iu' and values.size and values.min() >= 0:
        return values.astype(np.min_scalar_type(values.max()))
    return values

