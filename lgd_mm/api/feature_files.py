"""A student's features of any number of images, in a file."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib import format as npy

from lgd_mm.api.embedding import embedded, paths_of
from lgd_mm.api.feature_paths import check_features, names_beside
from lgd_mm.api.student import Student, load_student
from lgd_mm.errors import UserError
from lgd_mm.io.files import replacing

#: Rows of a Parquet file that are written together.
GROUP = 1024
#: Takes the paths of images and their features (B, d), float32.
Write = Callable[[Sequence[str], torch.Tensor], None]


@dataclass(frozen=True)
class Written:
    """Features in a file.

    Attributes:
        file (Path): Of the features.
        names (Path): Of the images' names: the same file, or the table beside it.
        images (int): That could be read.
        width (int): Of the features.
        unreadable (list[str]): What could not be read, and why.
    """

    file: Path
    names: Path
    images: int
    width: int
    unreadable: list[str]


def write_features(student: Student | str | Path, images: str | Path | Sequence[str | Path], out: str | Path, *,
                   embedding: bool = False, image_size: int | None = None) -> Written:
    """Write a student's features of images as they are computed: no more than some batches are held.

    A ``.parquet`` file has the columns ``picture`` and ``features``; a ``.npy`` file holds the features (N, d),
    float32, and ``NAME.csv`` beside it the ``picture`` of each row. They appear whole or not at all.

    Args:
        student (Student | str | Path): A student, or whatever :func:`lgd_mm.load_student` takes.
        images (str | Path | Sequence[str | Path]): A folder of images, an image, or several.
        out (str | Path): A new file, ``.parquet`` (with pyarrow) or ``.npy``.
        embedding (bool): Write the embeddings in the teacher's space instead, not normalised. Defaults to False: the
            pooled last output of the backbone.
        image_size (int, optional): Side of the crop, in pixels. Defaults to None: that of the student's training.

    Returns:
        Written: What was written, in the order of the images.

    Raises:
        UserError: If the student, the images or the file cannot be used, or the student has no projection.
    """
    out = Path(out)
    check_features(out)
    network = student if isinstance(student, Student) else load_student(student)
    if embedding:
        network.check_projection()
    unreadable: list[str] = []
    count = width = 0
    try:
        with (_parquet if out.suffix == '.parquet' else _npy)(out) as write:
            for part in embedded(network, paths_of(images), unreadable, image_size):
                rows = part.embeddings if embedding else part.features
                assert rows is not None
                write(part.paths, rows.float())
                count, width = count + len(rows), rows.shape[1]
    except OSError as error:
        raise UserError(f'{out} cannot be written ({error.strerror or error}): give another file') from error
    return Written(out, names_beside(out), count, width, unreadable)


@contextmanager
def _npy(out: Path) -> Iterator[Write]:
    """An array that grows, and the table of its rows. The header, which is written again with the number of rows at the
    end, has the same length for any."""
    rows, width = 0, None
    with replacing(out) as part, replacing(names_beside(out)) as beside, part.open('wb') as array, \
            beside.open('w', newline='', encoding='utf-8', errors='surrogateescape') as names:
        table = csv.writer(names)
        table.writerow(['row', 'picture'])

        def write(paths: Sequence[str], features: torch.Tensor) -> None:
            nonlocal rows, width
            if width is None:
                width = features.shape[1]
                npy.write_array_header_1_0(array, _header(0, width))
            array.write(np.ascontiguousarray(features.numpy(), '<f4').tobytes())
            table.writerows(enumerate(paths, rows))
            rows += len(paths)

        yield write
        assert width is not None
        begin = array.tell() - 4 * rows * width
        array.seek(0)
        npy.write_array_header_1_0(array, _header(rows, width))
        assert array.tell() == begin


def _header(rows: int, width: int) -> dict[str, object]:
    return dict(descr='<f4', fortran_order=False, shape=(rows, width))


@contextmanager
def _parquet(out: Path) -> Iterator[Write]:
    """A table of paths and lists of numbers, in groups of rows."""
    import pyarrow  # here: it is optional
    from pyarrow import parquet
    held: list[pyarrow.Table] = []
    writer = None

    def flush() -> None:
        nonlocal writer
        table = pyarrow.concat_tables(held)
        writer = writer or parquet.ParquetWriter(part, table.schema)
        writer.write_table(table)
        held.clear()

    def write(paths: Sequence[str], features: torch.Tensor) -> None:
        # The bytes of a name that is no text become the replacement character: a column of text takes no others.
        names = [os.fsencode(path).decode('utf-8', 'replace') for path in paths]
        rows = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(features.numpy().reshape(-1)), features.shape[1])
        held.append(pyarrow.table(dict(picture=pyarrow.array(names, pyarrow.string()), features=rows)))
        if sum(map(len, held)) >= GROUP:
            flush()

    with replacing(out) as part:
        try:
            yield write
            if held:
                flush()
        finally:
            if writer is not None:
                writer.close()
