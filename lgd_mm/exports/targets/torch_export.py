"""A graph of torch's own operators, which needs torch and nothing else."""

import io
from pathlib import Path

import torch

from lgd_mm.exports.check import SAME_KERNELS, compare
from lgd_mm.exports.graph import batches, trace
from lgd_mm.exports.report import Difference
from lgd_mm.exports.targets import Written
from lgd_mm.students.network import Student

USAGE = """import torch
model = torch.export.load('FOLDER/student.pt2').module()
outputs = model(images)  # RGB (B, 3, H, W) in [0, 1]; a dict: {outputs}"""
SIZES = {True: 'Takes any number of images, of any height and width that are multiples of 32.',
         False: 'Takes any number of images of 224 x 224, the only size of this graph.'}


def write(student: Student, folder: Path) -> Written:
    """Write ``student.pt2``, as of ``torch.export``: normalisation, backbone, pooling and, if known, projection.

    Args:
        student (Student): Any.
        folder (Path): Where to.

    Returns:
        Written: Loaded and compared on images of two sizes, where the student takes them.

    Raises:
        UserError: If the student cannot be traced, or the graph computes something else.
    """
    program, any_size = trace(student)
    file = folder / 'student.pt2'
    content = io.BytesIO()  # written by itself, a full disk is an OSError
    torch.export.save(program, content)
    file.write_bytes(content.getvalue())

    loaded = torch.export.load(file).module()
    differences = []
    for images in batches(any_size):
        expected = student.outputs(images)
        with torch.no_grad():
            differences.append(compare('torch.export', expected, loaded(images), SAME_KERNELS))
    difference = Difference.largest_of(differences)
    version = torch.__version__.split('+')[0]
    return Written(f'torch {version}', difference, SAME_KERNELS, USAGE.format(outputs=', '.join(expected)),
                   notes=(SIZES[any_size], ), normalises=True)
