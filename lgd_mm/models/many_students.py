"""Several students of one teacher, in one run."""

import re
from typing import Any

import torch
from mmengine.model import BaseModel, ModuleDict
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.models.common import IMAGENET_PREPROCESSOR
from lgd_mm.models.teachers.base import Taught
from lgd_mm.registry import MODELS

#: Of a student: it becomes the name of a file beside the checkpoints, and part of its keys.
NAME = re.compile(r'(?!(epoch_\d+|iter_\d+|stopped|student)$)[\w-]+')


@MODELS.register_module()
class ManyStudents(BaseModel):
    """Distils several students, or one into several textual banks, from one data stream and one pass of the teacher.

    The students share nothing else, so each becomes what it would have become alone, as long as the optimiser treats
    every parameter by itself (a gradient clipped by its global norm does not).

    Args:
        teacher (dict): The frozen teacher of all.
        students (dict[str, dict]): Name -> a distiller without ``teacher`` and ``data_preprocessor``, such as
            ``lgd_mm.LGD``. The name is that of files too.
        data_preprocessor (dict, optional): See :class:`lgd_mm.models.distiller.Distiller`. Defaults to ImageNet's.

    Raises:
        UserError: If there are no students, or one cannot be built.
    """

    def __init__(self, teacher: dict[str, Any], students: dict[str, dict[str, Any]],
                 data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__({**IMAGENET_PREPROCESSOR, **(data_preprocessor or {})})
        if not students or not all(NAME.fullmatch(name) for name in students):
            raise UserError(f'model.students is {list(students)}: give at least one, with names of letters, digits, _ '
                            'and - that are none of a checkpoint (epoch_1, iter_1, stopped, student)')
        with torch.random.fork_rng(devices=[]):  # as in each distiller
            shared = MODELS.build(teacher)
        object.__setattr__(self, 'teacher', shared)  # out of nn.Module's sight, as in each distiller
        common = dict(teacher=shared, data_preprocessor=data_preprocessor)
        # mmengine's dictionary passes init_weights() on; torch's would leave the students as torch begins them.
        self.students = ModuleDict({name: MODELS.build({**student, **common}) for name, student in students.items()})

    def forward(self,
                inputs: Tensor,
                data_samples: list[Any] | None = None,
                teacher: Tensor | Taught | None = None,
                mode: str = 'tensor') -> Any:
        """mmengine's entry: ``mode`` is ``'loss'`` (all losses, named ``STUDENT.LOSS``) or ``'tensor'`` (features)."""
        if mode == 'tensor':
            return {name: student(inputs) for name, student in self.students.items()}
        if mode != 'loss':
            raise UserError('lgd_mm.ManyStudents is only trained: test each student with its own zero-shot config')
        if teacher is None:
            dense = any(student.dense is not None for student in self.students.values())
            teacher = self.teacher(inputs, dense=True) if dense else self.teacher(inputs)
        return {f'{name}.{key}': value for name, student in self.students.items()
                for key, value in student(inputs, teacher=teacher, mode='loss').items()}


def students_of(model: Any) -> dict[str, Any]:
    """The students that a model trains.

    Args:
        model (nn.Module): Any.

    Returns:
        dict[str, nn.Module]: Of :class:`ManyStudents` by name; another model with a backbone is its own, without a
        name.
    """
    if isinstance(model, ManyStudents):
        return dict(model.students.items())
    return {'': model} if hasattr(model, 'backbone') else {}


def whose(name: str) -> str:
    """What begins a sentence about one of several students.

    Args:
        name (str): Of :func:`students_of`; empty for the only one.
    """
    return f'student {name}: ' if name else ''
