"""Names of students, and the ready config of each."""

from collections.abc import Iterable
from typing import Any

from lgd_mm.api.known_names import is_of_timm, models_of_timm
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
        check_student_name(name, method)
    if not is_of_timm(name.removeprefix(TIMM)):
        import timm  # takes seconds, and only what a program has added to it is known to itself alone
        if not timm.is_model(name.removeprefix(TIMM)):
            check_student_name(name, method)
    return method.timm_config, {'model.backbone.model_name': name.removeprefix(TIMM)}


def check_student_name(name: str, method: Method = LGD) -> None:
    """Refuse what is no student's name, within milliseconds: timm is not imported.

    Args:
        name (str): As of :func:`student_config`.
        method (Method): Of the pre-training. Defaults to LGD.

    Raises:
        UserError: If there is no such student; names the nearest.
    """
    if name.startswith(TIMM):
        if not is_of_timm(name.removeprefix(TIMM)):
            raise _unknown(name, method.students, [TIMM + model for model in models_of_timm()])
    elif name not in method.students:
        raise _unknown(name, method.students, [*method.students, *(TIMM + model for model in models_of_timm())])


def _unknown(name: str, students: Iterable[str], known: list[str]) -> UserError:
    return UserError(f'no student is called {name!r}; {did_you_mean(name, known)}there are {", ".join(students)}, and '
                     f'{TIMM}NAME for any backbone of timm')
