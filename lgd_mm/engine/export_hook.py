"""The student, ready for transfer, at the end of pre-training."""

from pathlib import Path

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lgd_mm.registry import HOOKS
from lgd_mm.transfer.export import export_runner


@HOOKS.register_module()
class ExportStudentHook(Hook):
    """Writes ``student.safetensors`` and ``student.pth`` into the work dir after training, of several students
    ``student_NAME.*`` and ``NAME.pth``."""

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Export the backbone, or every student's."""
        for file in export_runner(runner, Path(runner.work_dir) / 'student'):
            runner.logger.info(f'student written to {file} and {file.with_suffix(".pth").name}')
