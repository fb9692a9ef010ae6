"""What a network begins as, looked at within milliseconds: torch is not imported."""

import os
from pathlib import Path

from lgd_mm.api.known_names import models_of_mmpretrain
from lgd_mm.api.students import STUDENTS, TIMM, check_student_name
from lgd_mm.errors import UserError
from lgd_mm.io.inputs import check_weights_file
from lgd_mm.runs.checkpoints import check_holds_student


def check_student(path: str) -> None:
    """See that the file of a student, or a student in the folder of a run, is there.

    Args:
        path (str): As the user gave it.

    Raises:
        UserError: If it is not.
    """
    if '://' not in path and not os.path.exists(path):
        raise UserError(f'{path} does not exist: give the folder of a run, student.safetensors or a checkpoint')
    if os.path.isdir(path):
        check_holds_student(Path(path))
    check_weights_file(path)


def check_backbone(name: str) -> None:
    """See that there is a backbone of some name.

    Args:
        name (str): As of :func:`lgd_mm.api.backbones.backbone_named`.

    Raises:
        UserError: If there is none; names the nearest.
    """
    if name not in STUDENTS and not name.startswith(TIMM):
        if os.path.exists(name):
            check_student(name)
            return
        theirs = models_of_mmpretrain()
        if not theirs or name in theirs or _in_zoo(name):
            return
    check_student_name(name)


def _in_zoo(name: str) -> bool:
    from lgd_mm.zoo.index import known_models
    return any(model.name == name for model in known_models())
