"""What a finished run knows of its test images, taken into its record."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.io.typed_json import is_number
from lgd_mm.statistics.files import NAME, read
from lgd_mm.statistics.image_results import ImageResults, drawn
from lgd_mm.suite.files import write
from lgd_mm.suite.schema import DRAWS, VERSION, ImageSet, Record

#: What rounding takes of a share at most: COCO's figures have three digits.
ROUNDED = 6e-4
#: In the folder of each run.
RECORD = 'run.json'


def with_images(record: Record, work_dir: Path) -> Record:
    """Add what the test images say to the record of a run that has nothing of them yet, also in its file.

    Args:
        record (Record): Of a finished run.
        work_dir (Path): Its folder; ``image_results.npz`` may be there.

    Returns:
        Record: The same where there is nothing to add.

    Raises:
        UserError: If the file is damaged.
    """
    found = None if record.tested else read(work_dir / NAME)
    if found is None:
        return record
    for key, metric in list(found.metrics.items()):
        if not _is_logged(metric, record.metrics.get(key)):
            print_rank0(f'{work_dir / NAME} is of other figures than the run has measured, so {key} goes without what '
                        'single images say: test its checkpoint with --log-samples into this folder')
            del found.metrics[key]
    record = replace(
        record,
        version=VERSION,
        tested=ImageSet(len(found.images), hashlib.sha256('\n'.join(found.images).encode()).hexdigest()),
        draws={key: figures for key, metric in found.metrics.items()
               if all(map(is_number, figures := _percent(metric.values(drawn(len(metric), DRAWS)))))},
        classes={key: _of_classes(metric, found.classes) for key, metric in found.metrics.items()})
    write(work_dir / RECORD, record)
    return record


def _is_logged(metric: ImageResults, logged: float | None) -> bool:
    """Whether the images together make the figure in the log, which is a share or percent and was rounded."""
    share = float(metric.values(np.ones((1, len(metric))))[0])
    return logged is not None and min(abs(share - logged), abs(share - logged / 100)) < ROUNDED


def _of_classes(metric: ImageResults, names: list[str]) -> dict[str, float]:
    """Those that the test images have."""
    figures = _percent(metric.of_classes(np.ones((1, len(metric))))[0])
    return {name: figure for name, figure in zip(names, figures) if is_number(figure)}


def _percent(shares: NDArray[np.float64]) -> list[float]:
    return [round(100 * float(share), 3) for share in shares]
