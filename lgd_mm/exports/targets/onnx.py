"""An ONNX graph, and with the projection what zero-shot classification needs beside it."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.exports.check import OTHER_KERNELS, SIDE, compare, sample_image
from lgd_mm.exports.figures import median_ms
from lgd_mm.exports.graph import batches, pads_by_size, trace
from lgd_mm.exports.onnx_graph import convert, opened, run
from lgd_mm.exports.report import Difference
from lgd_mm.exports.targets import Written
from lgd_mm.exports.targets.onnx_int8 import quantise
from lgd_mm.language import category_names
from lgd_mm.models.zero_shot import NO_PROJECTION, TEMPERATURE, bank_of_names
from lgd_mm.registry import MODELS
from lgd_mm.students.network import Student

USAGE = """import numpy as np, onnxruntime
from PIL import Image, ImageOps
session = onnxruntime.InferenceSession('FOLDER/student.onnx')
image = ImageOps.fit(Image.open('image.jpg').convert('RGB'), (SIZE, SIZE), bleed=1 / 16)  # from the middle
image = np.asarray(image, np.float32) / 255
outputs = dict(zip([output.name for output in session.get_outputs()],
                   session.run(None, {'images': image.transpose(2, 0, 1)[None]})))"""
ZERO_SHOT = """
names = open('FOLDER/names.txt', encoding='utf-8').read().splitlines()
logits = outputs['embedding'] @ np.load('FOLDER/text_embeddings.npy').T / TEMPERATURE
scores = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
print(names[scores.argmax()], scores.max())"""

#: Sizes that a graph takes.
SIZES = ('any number of images of 224 x 224, the only size of this graph',
         'any number of images, of any height and width that are multiples of 32',
         'any number of images, of any height and width')


def write(student: Student,
          folder: Path,
          int8: bool = False,
          categories: str | list[str] | None = None) -> Written:
    """Write ``student.onnx``; with names also ``names.txt`` and ``text_embeddings.npy`` (C, D).

    The graph takes ``images``, RGB (B, 3, H, W) in [0, 1], and normalises them itself. It gives ``features``
    (B, d, h, w), ``pooled`` (B, d) and with a projection ``embedding`` (B, D) of unit length.

    Args:
        student (Student): Any.
        folder (Path): Where to.
        int8 (bool): Write ``student_int8.onnx``, too. Defaults to False.
        categories (str | list[str], optional): Names for zero-shot classification. Defaults to None: those of the
            pre-training.

    Returns:
        Written: Run by onnxruntime and compared on images of two sizes, where the student takes them.

    Raises:
        UserError: If the student cannot be traced or converted, onnxruntime computes something else, or int8 changes
            the student too much.
    """
    words, bank = _language(student, categories)
    program, any_size = trace(student)
    sizes = SIZES[any_size + (any_size and not pads_by_size(student))]
    names = list(student.outputs(sample_image()))
    file = folder / 'student.onnx'
    about = dict(input=f'images: RGB in [0, 1], normalised by the graph; {sizes}',
                 **{key: json.dumps(value) for key, value in student.metadata.items()})
    convert(program, dict(images=('batch', '', 'height', 'width')),
            dict.fromkeys(names, ('batch', '', 'rows', 'columns')), file, about, 'export it to torch-export')

    session = opened(file)
    images = batches(any_size)
    if sizes == SIZES[2]:
        images.append(sample_image(151, 100))
    differences = [compare('onnxruntime', student.outputs(batch), run(session, dict(images=batch)), OTHER_KERNELS)
                   for batch in images]
    first = dict(images=images[0])
    latency = {'onnxruntime, float32': median_ms(lambda: run(session, first))}
    notes = [f'The graph normalises its input itself and takes RGB in [0, 1]: {sizes}.']
    if int8:
        small = folder / 'student_int8.onnx'
        notes.append(quantise(file, small, student.outputs(images[0]), lambda path: run(opened(path), first)))
        quantised = opened(small)
        latency['onnxruntime, int8'] = median_ms(lambda: run(quantised, first))
    usage = USAGE.replace('SIZE', str(student.image_size if any_size else SIDE))
    if bank is not None:
        (folder / 'names.txt').write_text('\n'.join(words) + '\n', encoding='utf-8')
        np.save(folder / 'text_embeddings.npy', bank.numpy())
        usage += ZERO_SHOT.replace('TEMPERATURE', str(TEMPERATURE))
    elif 'embedding' in names:
        notes.append('The file has no category names: give categories for zero-shot classification.')
    difference = Difference.largest_of(differences)
    return Written(f'onnxruntime {onnxruntime.__version__}', difference, OTHER_KERNELS, usage, tuple(notes), latency,
                   normalises=True)


def _language(student: Student, categories: str | list[str] | None) -> tuple[tuple[str, ...], Tensor | None]:
    """Names for zero-shot classification and their embeddings (C, D): the given ones by the teacher's text tower, else
    those of the pre-training; nothing without a projection."""
    if categories is None:
        return (student.names, student.bank.float()) if student.neck and student.bank is not None else ((), None)
    if student.neck is None:
        raise UserError(f'categories: {student.path} {NO_PROJECTION}')
    teacher = student.file.teacher_config
    if not hasattr(MODELS.get(teacher['type']), 'encode_text'):
        raise UserError(f'categories: the teacher of {student.path} ({teacher["type"]}) has no text tower: leave the '
                        'names out')
    return tuple(category_names(categories)), bank_of_names(MODELS.build(teacher), categories)
