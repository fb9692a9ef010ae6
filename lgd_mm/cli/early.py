"""What can be known to be wrong before the libraries are imported, which takes seconds.

Each function looks at the arguments of one command, as :mod:`lgd_mm.api` calls them, in the order in which that does.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from lgd_mm.api.beginnings import check_backbone, check_student
from lgd_mm.api.classes import parse_classes
from lgd_mm.api.evaluated import check_labelled, config_of_finetuning
from lgd_mm.api.feature_paths import check_features
from lgd_mm.api.images import check_folder, check_images
from lgd_mm.api.output import check_beginning, check_init, check_inputs_stay, check_out
from lgd_mm.api.students import check_student_name
from lgd_mm.api.teachers import check_teacher
from lgd_mm.api.values import AUTO, check_value
from lgd_mm.api.watch import Watch
from lgd_mm.comparison.early import check_comparison_folder, going_on
from lgd_mm.comparison.request import TASKS, Request, read_state
from lgd_mm.costs.files import check_replaceable
from lgd_mm.costs.request import check_request
from lgd_mm.errors import UserError
from lgd_mm.formats.new_set import check_new_folder
from lgd_mm.formats.recognise import check_options, check_share, is_known, recognise
from lgd_mm.inspection.own_page import check_page
from lgd_mm.io.inputs import check_config, check_data_folder, check_outside, check_weights_file
from lgd_mm.io.options import parse_options
from lgd_mm.io.writable import check_work_dir
from lgd_mm.language import CATEGORY_SETS
from lgd_mm.language.categories import DATASET_TYPE
from lgd_mm.language.templates import prompt_templates
from lgd_mm.own_data.class_folders import find_parts
from lgd_mm.prediction import asked
from lgd_mm.prediction.table import check_table
from lgd_mm.storage.urls import is_url
from lgd_mm.vision_language import about, files
from lgd_mm.vision_language.request import check_questions, check_student_does


def check_pretraining(arguments: Mapping[str, Any]) -> None:
    """Raises:
        UserError: If the folder of the run, a name or a path cannot be used.
    """
    check_init(arguments['init'], arguments['resume'])
    Watch(*(arguments[name] for name in ('watch', 'watch_every', 'keep_best', 'patience'))).check()
    check_out(arguments['out'], arguments['resume'], arguments['overwrite'])
    check_inputs_stay(arguments['out'], arguments['overwrite'],
                      *(arguments[name] for name in ('images', 'classes', 'templates', 'teacher', 'init', 'watch')))
    check_student_name(arguments['student'])
    check_teacher(arguments['teacher'])
    _check_classes(arguments['classes'])
    check_images(arguments['images'])
    if arguments['watch']:
        check_images(Path(arguments['watch']), 'watch')
    _check_templates(arguments['templates'])
    _check_values(arguments, 'epochs', 'batch_size', 'accumulate', 'lr', 'image_size', 'workers')
    if arguments['init']:
        check_student(arguments['init'])
    parse_options(arguments['options'])


def check_finetuning(arguments: Mapping[str, Any]) -> None:
    """Raises:
        UserError: If the folder of the run, the student or the data cannot be used.
    """
    check_out(arguments['out'], arguments['resume'], arguments['overwrite'])
    check_inputs_stay(arguments['out'], arguments['overwrite'], arguments['student'], arguments['data'])
    check_beginning(arguments['student'], arguments['backbone'])
    if arguments['student'] is not None:
        check_student(arguments['student'])
    if arguments['backbone'] is not None:
        check_backbone(arguments['backbone'])
    _check_values(arguments, 'epochs', 'batch_size', 'lr', 'workers')
    parse_options(arguments['options'])
    if arguments['task'] in ('classification', 'linear-probe'):
        _check_class_folders(arguments['data'])
    else:
        check_data_folder(arguments['data'])
        _check_format(Path(arguments['data']))


def check_comparison(arguments: Mapping[str, Any]) -> None:
    """Raises:
        UserError: If the folder of the comparison, a name, a number or a path cannot be used.
    """
    out = Path(arguments['out'])
    state = read_state(out)
    if arguments['images'] is None:
        given = [name for name in ('classes', *TASKS) if arguments[name] is not None]
        if given:
            raise UserError(f'--{given[0]} is given, and --images is not: give both, or --out alone to go on')
        going_on(out, state)
        return
    if arguments['classes'] is None:
        raise UserError('give --classes, the names of what is on the images')
    request = Request(**{field.name: arguments[field.name] for field in fields(Request)})
    request.check()
    check_comparison_folder(out, state)
    check_folder(Path(arguments['images']))
    check_teacher(arguments['teacher'])
    _check_classes(arguments['classes'])
    for student in arguments['students']:
        check_student_name(student)
    for task, data in request.data.items():
        if task == 'classification':
            _check_class_folders(data)
        else:
            check_data_folder(data)
    check_outside(out, [arguments['images'], *request.data.values()])


def check_conversion(arguments: Mapping[str, Any]) -> None:
    """Raises:
        UserError: If the folder is none or of no format, an option is for another one, or OUT is there.
    """
    check_new_folder(arguments['source'], arguments['out'])
    if arguments['class_table'] is not None and not os.path.isfile(arguments['class_table']):
        raise UserError(f'--class-table {arguments["class_table"]} does not exist: give a file with the name of each '
                        'value or colour')
    check_share(arguments['val_share'])
    form = arguments['form'] or recognise(Path(arguments['source']))
    check_options(form, arguments['source'], {name: arguments[name] for name in ('void', 'class_table')})


def check_index(images: str, out: str) -> None:
    """Raises:
        UserError: If there is no such folder, or OUT is there.
    """
    if not is_url(images):
        check_folder(Path(images))
    if os.path.lexists(out):
        raise UserError(f'{out} is there: give another --out, nothing is overwritten')


def check_zero_shot(arguments: Mapping[str, Any], out: str | None) -> None:
    """Raises:
        UserError: If the student, a name or a path cannot be used, or another file would be replaced.
    """
    if out:
        check_table(Path(out))
    check_student(arguments['student'])
    if not os.path.isfile(arguments['images']):
        check_images(Path(arguments['images']))
    _check_language(arguments)
    _check_templates(arguments['templates'])


def check_prediction(arguments: Mapping[str, Any]) -> None:
    """Raises:
        UserError: If the network, an image, the ids or the folder of the predictions cannot be used.
    """
    network = arguments['network']
    if '://' not in network and not os.path.exists(network):
        raise UserError(f'{network} does not exist: give the folder of a run of lgd-mm finetune or tools/train.py, '
                        'or a checkpoint')
    check_weights_file(network)
    asked.check_given(arguments['images'])
    check_outside(arguments['out'], arguments['images'])
    asked.check_out(Path(arguments['out']))
    if arguments['ids'] is not None and not os.path.isfile(arguments['ids']):
        raise UserError(f'ids: {arguments["ids"]} is no file: give annotations in COCO format')


def check_embedding(student: str, images: str, out: Path) -> None:
    """Raises:
        UserError: If the student, an image or the file of features cannot be used.
    """
    check_features(out)
    check_student(student)
    if not os.path.isfile(images):
        check_images(Path(images))


def check_captioning(arguments: Mapping[str, Any], out: str | None) -> None:
    """Raises:
        UserError: If the student, the detector, an image or the file of captions cannot be used, or the student does
            something else.
    """
    _check_reading(arguments, arguments['images'], about.CAPTIONS)
    if out is not None:
        files.check_found(Path(out), files.CAPTIONS)


def check_asking(arguments: Mapping[str, Any], out: str | None) -> None:
    """Raises:
        UserError: The same, or if a question is empty.
    """
    check_questions(arguments['questions'])
    _check_reading(arguments, [arguments['images']], about.ANSWERS)
    if out is not None:
        files.check_found(Path(out), files.ANSWERS)


def check_evaluation(arguments: Mapping[str, Any]) -> None:
    """Raises:
        UserError: If the run, a name or a path cannot be used.
    """
    check_student(arguments['run'])
    if config_of_finetuning(Path(arguments['run'])) is None:
        check_labelled(arguments['data'])
    if arguments['data'] is not None:
        check_folder(Path(arguments['data']), 'data')
    _check_language(arguments)
    if arguments['out']:
        check_work_dir(arguments['out'])
    parse_options(arguments['options'])


def check_costing(student: str, size: int, batch: int, threads: Sequence[int], file: str | None) -> None:
    """Raises:
        UserError: If there is no such student, a number cannot be used, or another file would be replaced.
    """
    if file is not None:
        check_replaceable(Path(file))
    check_request(size, batch, threads or (1, ))
    check_backbone(student)


def check_inspection(folder: str, out: str) -> None:
    """Raises:
        UserError: If the folder has no image, or another file than a page would be replaced.
    """
    check_images(Path(folder), 'folder')
    check_page(Path(out))


def _check_reading(arguments: Mapping[str, Any], images: Sequence[str], task: str) -> None:
    """A student of vision and language, and what it looks at."""
    check_student(arguments['student'])
    check_student_does(arguments['student'], task)
    check_weights_file(arguments['detector'])
    if arguments['config'] is not None:
        check_config(arguments['config'])
    for path in images:
        if not os.path.isfile(path):
            check_images(Path(path))


def _check_class_folders(data: str) -> None:
    """Folders of parts and classes, or another format for classification."""
    try:
        find_parts(data, training=True)
    except UserError:
        if not os.path.isdir(data) or not is_known(Path(data)):
            raise


def _check_format(data: Path) -> None:
    """What has the folder or file of a layout that is read as it is, is told what is wrong with that."""
    if not (data / 'annotations').is_dir() and not (data / 'classes.txt').is_file():
        recognise(data)


def _check_language(arguments: Mapping[str, Any]) -> None:
    if arguments['teacher']:
        check_teacher(arguments['teacher'])
    if arguments['classes'] is not None:
        _check_classes(arguments['classes'])


def _check_classes(classes: str) -> None:
    """Names and files of names are read; of what the libraries know, the name is enough."""
    names = ',' in classes or os.path.isfile(classes)  # unlike Path's, it takes a text of any length
    for part in [classes] if names else map(str.strip, classes.split('+')):
        if part not in CATEGORY_SETS and not DATASET_TYPE.fullmatch(part):
            parse_classes(part)


def _check_templates(templates: str | None) -> None:
    if templates is not None and '{}' not in templates:
        prompt_templates(templates)


def _check_values(arguments: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if arguments[name] != AUTO:
            check_value(name, arguments[name])
