"""Names of students, and the ready config of each."""

import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lgd_mm.api.methods import LGD, Method
from lgd_mm.console.words import did_you_mean
from lgd_mm.errors import UserError

#: Name -> the ready config of its pre-training.
STUDENTS = LGD.students
#: What stands before the name of any timm model.
TIMM = 'timm/'
TIMM_CONFIG = LGD.timm_config


def student_config(name: str, method: Method = LGD) -> tuple[str, dict[str, Any]]:
    """The ready config that pre-trains a student.

    Args:
        name (str): One of the method's students, or ``'timm/NAME'``.
        method (Method): Of the pre-training. Defaults to LGD, whose students are :data:`STUDENTS`.

    Returns:
        tuple[str, dict[str, Any]]: The config, and the keys to set in it.

    Raises:
        UserError: If there is no such student; names the nearest.
    """
    students = method.students
    if name in students:
        return students[name], {}
    if not name.startswith(TIMM):
        raise _unknown(name, students, [*students, *(TIMM + model for model in models_of_timm())])
    import timm  # takes seconds
    if timm.is_model(name.removeprefix(TIMM)):
        return method.timm_config, {'model.backbone.model_name': name.removeprefix(TIMM)}
    raise _unknown(name, students, [TIMM + model for model in timm.list_models()])


def _unknown(name: str, students: Iterable[str], known: list[str]) -> UserError:
    return UserError(f'no student is called {name!r}; {did_you_mean(name, known)}there are {", ".join(students)}, and '
                     f'{TIMM}NAME for any backbone of timm')


def models_of_timm() -> list[str]:
    """Names of timm's models, read from its source: enough to guess what was meant, without seconds of importing."""
    timm = find_spec('timm')
    folders = timm.submodule_search_locations if timm else None
    files = (file for folder in folders or () for file in Path(folder, 'models').glob('*.py'))
    texts = (file.read_text(encoding='utf-8') for file in files)
    return [name for text in texts for name in re.findall(r'^@register_model\ndef (\w+)', text, re.M)]
