"""What can be known to be wrong before the libraries are imported, which takes seconds.

Each function looks at the arguments of one command, as :mod:`lgd_mm.api` calls them, in the order in which that does.
"""

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from lgd_mm.api.classes import parse_classes
from lgd_mm.api.images import check_folder
from lgd_mm.api.output import check_beginning, check_free, check_init, check_inputs_stay
from lgd_mm.api.students import TIMM, student_config
from lgd_mm.api.table import check_table
from lgd_mm.api.teachers import check_teacher
from lgd_mm.comparison.early import check_out, going_on
from lgd_mm.comparison.request import TASKS, Request, read_state
from lgd_mm.errors import UserError
from lgd_mm.formats.new_set import check_new_folder
from lgd_mm.formats.recognise import is_known, recognise
from lgd_mm.io.inputs import check_data_folder, check_weights_file
from lgd_mm.language import CATEGORY_SETS
from lgd_mm.language.categories import DATASET_TYPE, read_lines
from lgd_mm.own_data.class_folders import find_parts


def check_pretraining(arguments: Mapping[str, Any]) -> None:
    """Raises:
        UserError: If the folder of the run, a name or a path cannot be used.
    """
    check_init(arguments['init'], arguments['resume'])
    check_free(arguments['out'], arguments['resume'], arguments['overwrite'])
    check_inputs_stay(arguments['out'], arguments['overwrite'],
                      *(arguments[name] for name in ('images', 'classes', 'templates', 'teacher', 'init', 'watch')))
    if not arguments['student'].startswith(TIMM):
        student_config(arguments['student'])
    check_teacher(arguments['teacher'])
    _check_classes(arguments['classes'])
    check_folder(Path(arguments['images']))
    if arguments['watch']:
        check_folder(Path(arguments['watch']), 'watch')
    _check_templates(arguments['templates'])
    if arguments['init']:
        check_student(arguments['init'])


def check_finetuning(arguments: Mapping[str, Any]) -> None:
    """Raises:
        UserError: If the folder of the run, the student or the data cannot be used.
    """
    check_free(arguments['out'], arguments['resume'], arguments['overwrite'])
    check_inputs_stay(arguments['out'], arguments['overwrite'], arguments['student'], arguments['data'])
    check_beginning(arguments['student'], arguments['backbone'])
    if arguments['student'] is not None:
        check_student(arguments['student'])
    if arguments['task'] in ('classification', 'linear-probe'):
        _check_class_folders(arguments['data'])
    else:
        check_data_folder(arguments['data'])


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
    check_out(out, state)
    check_folder(Path(arguments['images']))
    check_teacher(arguments['teacher'])
    _check_classes(arguments['classes'])
    for student in arguments['students']:
        if not student.startswith(TIMM):
            student_config(student)
    for task, data in request.data.items():
        if task == 'classification':
            _check_class_folders(data)
        else:
            check_data_folder(data)


def check_conversion(arguments: Mapping[str, Any]) -> None:
    """Raises:
        UserError: If the folder is none or of no format, or what is to be written is there.
    """
    check_new_folder(arguments['source'], arguments['out'])
    if arguments['class_table'] is not None and not os.path.isfile(arguments['class_table']):
        raise UserError(f'--class-table {arguments["class_table"]} does not exist: give a file with the name of each '
                        'value or colour')
    if not 0 < arguments['val_share'] < 1:
        raise UserError(f'--val-share is {arguments["val_share"]:g}, and should be between 0 and 1, such as 0.2')
    if arguments['form'] is None:
        recognise(Path(arguments['source']))


def check_zero_shot(arguments: Mapping[str, Any], out: str | None) -> None:
    """Raises:
        UserError: If the student, a name or a path cannot be used, or another file would be replaced.
    """
    if out:
        check_table(Path(out))
    check_student(arguments['student'])
    if not os.path.isfile(arguments['images']):
        check_folder(Path(arguments['images']))
    _check_language(arguments)
    _check_templates(arguments['templates'])


def check_evaluation(arguments: Mapping[str, Any]) -> None:
    """Raises:
        UserError: If the run, a name or a path cannot be used.
    """
    check_student(arguments['run'])
    if arguments['data'] is not None:
        check_folder(Path(arguments['data']), 'data')
    _check_language(arguments)


def check_student(path: str) -> None:
    """See that the file of a student, or the folder of a run, is there.

    Args:
        path (str): As the user gave it.

    Raises:
        UserError: If it is not.
    """
    if '://' not in path and not os.path.exists(path):
        raise UserError(f'{path} does not exist: give the folder of a run, student.safetensors or a checkpoint')
    check_weights_file(path)


def _check_class_folders(data: str) -> None:
    """Folders of parts and classes, or another format for classification."""
    try:
        find_parts(data, training=True)
    except UserError:
        if not os.path.isdir(data) or not is_known(Path(data)):
            raise


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
        read_lines(Path(templates), 'templates')
