"""The student that is exported."""

from pathlib import Path

from mmengine.model import revert_sync_batchnorm

from lgd_mm.errors import UserError
from lgd_mm.students.network import Student
from lgd_mm.students.read import read_student_file


def read_source(path: str | Path) -> Student:
    """Read a student that says all of itself that another library needs to know.

    Args:
        path (str | Path): An exported student, or a checkpoint of a pre-training, which also has the projection.

    Returns:
        Student: Frozen, on the CPU; in its ``metadata``, ``backbone`` is checked and may be built.

    Raises:
        UserError: If the file cannot be used or does not say what its backbone, mean and std are.
    """
    file = read_student_file(path)
    for key in ('backbone', 'mean', 'std'):
        if not file.metadata.get(key):
            raise UserError(f'{path} does not say what its {key} is: give the student.safetensors or a checkpoint of a '
                            'pre-training')
    backbone = {key: value for key, value in file.backbone_config.items() if key != 'frozen_stages'}
    metadata = {key: value for key, value in file.metadata.items() if key != 'neck'} | dict(backbone=backbone)
    student: Student = revert_sync_batchnorm(Student(file._replace(metadata=metadata)))
    return student.eval().requires_grad_(False)
