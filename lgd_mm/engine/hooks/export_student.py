"""The student, ready for transfer, at the end of pre-training."""

from collections.abc import Collection
from pathlib import Path

import torch
from mmengine.dist import all_reduce, master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from lgd_mm.engine.hooks.health import HealthHook
from lgd_mm.engine.hooks.non_finite import LOWER_RATE, NonFiniteHook
from lgd_mm.errors import DivergedError
from lgd_mm.models.many_students import students_of, whose
from lgd_mm.registry import HOOKS
from lgd_mm.students.export import export_runner, trained_model


@HOOKS.register_module()
class ExportStudentHook(Hook):
    """Writes ``student.safetensors`` and ``student.pth`` into the work dir after training, of several students
    ``student_NAME.*`` and ``NAME.pth``; with an EMAHook, the average.

    Raises:
        UserError: If a weight or a statistic of a student is not finite, or nothing came of its training; only the
            others are written then.
    """

    priority = 'VERY_LOW'  # after PreciseBNHook, also if another hook has ended the training early

    def after_train(self, runner: Runner) -> None:
        """Export the backbone, or every student's."""
        broken = {name: sentence for hook in runner.hooks if isinstance(hook, (HealthHook, NonFiniteHook))
                  for name, sentence in hook.broken().items()}
        for name, student in students_of(trained_model(runner)[0]).items():
            sentence = _not_finite(student)  # of all: each process asks the others
            if sentence and name not in broken:
                broken[name] = (whose(name) or 'the student is not exported: ') + sentence
        self._export(runner, broken)
        if broken:
            raise DivergedError('; '.join(broken.values()))

    @master_only
    def _export(self, runner: Runner, broken: Collection[str]) -> None:
        averaged = ': the average that EMAHook kept' if trained_model(runner)[1] else ''
        for file in export_runner(runner, Path(runner.work_dir) / 'student', leave_out=broken):
            runner.logger.info(f'student written to {file} and {file.with_suffix(".pth").name}{averaged}')


def _not_finite(student: nn.Module) -> str | None:
    """What is not finite, in any of the processes: each has batch norms of its own."""
    state = {key: value for key, value in student.state_dict().items() if value.is_floating_point()}
    broken = [key for key, value in state.items() if not value.isfinite().all()]
    count = torch.tensor(len(broken))
    all_reduce(count, 'max')
    if not count:
        return None
    named = f' ({", ".join(broken[:3])}{", ..." if broken[3:] else ""})' if broken else ''
    return f'{int(count)} of its {len(state)} tensors hold NaN or infinity{named}; {LOWER_RATE}'
