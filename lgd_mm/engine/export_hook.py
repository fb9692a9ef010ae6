"""The student, ready for transfer, at the end of pre-training."""

from pathlib import Path

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lgd_mm.registry import HOOKS
from lgd_mm.transfer.export import export_runner


@HOOKS.register_module()
class ExportStudentHook(Hook):
    """Writes ``student.safetensors`` and ``student.pth`` into the work dir after training."""

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Export the backbone."""
        tensors, pickle = export_runner(runner, Path(runner.work_dir) / 'student')
        runner.logger.info(f'student written to {tensors} and {pickle.name}')
