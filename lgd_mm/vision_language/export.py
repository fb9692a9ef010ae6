"""A student of vision and language in the form of another library, checked there."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnxruntime
from mmengine.logging import print_log

from lgd_mm.console.progress import still
from lgd_mm.console.quiet import quietly
from lgd_mm.errors import UserError
from lgd_mm.exports.check import OTHER_KERNELS, SAME_KERNELS, compare
from lgd_mm.exports.onnx_graph import convert, opened, run
from lgd_mm.exports.report import Difference, ExportReport
from lgd_mm.exports.targets import TARGETS
from lgd_mm.io.new_folder import new_folder
from lgd_mm.models.vl.weights import write_model
from lgd_mm.vision_language import predict
from lgd_mm.vision_language.about import ANSWERS, CAPTIONS, PRETRAINING, as_json
from lgd_mm.vision_language.card import card, usage
from lgd_mm.vision_language.step import Step, sample_inputs, trace
from lgd_mm.vision_language.student import Student, load_student

#: What such a student is exported to, of :data:`lgd_mm.exports.TARGETS`.
TAKEN = ('onnx', 'safetensors')


def export_student(path: Path, folders: Mapping[str, Path]) -> list[ExportReport]:
    """Write a student in one or several forms, each compared with the student itself before its folder appears.

    Args:
        path (Path): Its file.
        folders (Mapping[str, Path]): Target -> folder to write, which does not exist yet or is empty.

    Returns:
        list[ExportReport]: For each target.

    Raises:
        UserError: If a target takes no such student, the file or a folder cannot be used, a library is not installed,
            or computes something else.
    """
    other = next((name for name in folders if name not in TAKEN), None)
    if other is not None:
        raise UserError(f'{other} takes no students of vision and language, such as {path}: give {" or ".join(TAKEN)}')
    for name in folders:
        TARGETS[name].check_installed(name)
    with still(f'reading {path}'), quietly():
        student = load_student(path)
    return [_export(student, name, folder) for name, folder in folders.items()]


def _export(student: Student, target: str, folder: Path) -> ExportReport:
    print_log(f'exporting {student.path} to {target}', logger='current')
    try:
        with new_folder(folder) as part, still(f'writing {target}'), quietly():
            difference, tolerance, library = (_write_onnx if target == 'onnx' else _write_safetensors)(student, part)
            _write_words(student, part)
            (part / 'README.md').write_text(card(student, target, part / f'student.{target}', library, difference,
                                                  tolerance), 'utf-8')
    except OSError as error:
        raise UserError(f'the export cannot be written to {folder} ({error.strerror or error}): choose a folder with '
                        'disk space that you may write to') from error
    return ExportReport(target, folder, tuple(sorted(folder.iterdir())), library, difference.largest,
                        difference.relative, tolerance, usage(student, target), ())


def _write_onnx(student: Student, folder: Path) -> tuple[Difference, float, str]:
    """``student.onnx``, ``network.json`` and ``predict.py``; what is found by onnxruntime."""
    task = student.about.model.task
    if task.type == PRETRAINING:
        raise UserError(f'{student.path} {task.does}, and onnx takes what writes captions or answers questions: '
                        'fine-tune it first, or export it to safetensors')
    file = folder / 'student.onnx'
    inputs = dict(text=('batch', ), tags=('batch', ), regions=('batch', ), valid=('batch', ))
    convert(trace(student), inputs, dict(hidden=('batch', ), logits=('batch', )), file, as_json(student.about),
            'export it to safetensors')
    step, session = Step(student), opened(file)
    differences = [compare('onnxruntime', step.outputs(batch), run(session, batch), OTHER_KERNELS)
                   for batch in (sample_inputs(student, size) for size in (1, 3))]
    about = dict(graph=file.name, does='captions' if task.type == CAPTIONS else 'answers',
                 lengths=list(student.sequences.lengths), longest=task.longest, tags=student.trained_on.regions.tags)
    (folder / 'network.json').write_text(json.dumps(about, indent=1) + '\n', encoding='utf-8')
    (folder / 'predict.py').write_text(Path(predict.__file__).read_text('utf-8'), encoding='utf-8')
    return Difference.largest_of(differences), OTHER_KERNELS, f'onnxruntime {onnxruntime.__version__}'


def _write_safetensors(student: Student, folder: Path) -> tuple[Difference, float, str]:
    """``student.safetensors``, as its training has written it; what is found in it."""
    file = folder / 'student.safetensors'
    said: dict[str, Any] = {key: json.loads(value) for key, value in as_json(student.about).items()}
    write_model(student.model, said['model'], student.iteration or 0, file, said['trained_on'])
    inputs = sample_inputs(student, 2)
    difference = compare('safetensors', Step(student).outputs(inputs), Step(load_student(file)).outputs(inputs),
                         SAME_KERNELS)
    return difference, SAME_KERNELS, f'safetensors {version("safetensors")}'


def _write_words(student: Student, folder: Path) -> None:
    """``vocab.txt`` and ``answers.txt``."""
    model: Any = student.model
    texts = {'vocab.txt': model.pieces.words}
    if student.about.model.task.type == ANSWERS:
        texts['answers.txt'] = model.task.names.lines
    for name, lines in texts.items():
        (folder / name).write_text('\n'.join(lines) + '\n', encoding='utf-8', newline='\n')
