"""The report of a pre-training, at its end."""

from shlex import quote

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lgd_mm.console.words import first_line
from lgd_mm.registry import HOOKS
from lgd_mm.students.export import trained_model


@HOOKS.register_module()
class ReportHook(Hook):
    """Writes ``report.html`` into the work dir after training, see
    :func:`lgd_mm.report.pretraining.write_pretraining_report`.

    A report that fails is one warning: the student is there. Several processes part first, as :func:`write_reports`
    has it: none waits for the first one to draw.
    """

    priority = 'VERY_LOW'  # after PreciseBNHook, also if another hook has ended the training early

    def after_train(self, runner: Runner) -> None:
        """Write the report of a run of one process."""
        if get_world_size() == 1:
            self.write(runner)

    def write(self, runner: Runner) -> None:
        """Write the report, whatever became of the other processes."""
        try:
            from lgd_mm.report.pretraining import write_pretraining_report  # here: it brings matplotlib along
            file = write_pretraining_report(runner.work_dir, runner.cfg, trained_model(runner)[0])
            runner.logger.info(f'report written to {file}')
        except Exception as error:
            reason = first_line(error)
            runner.logger.warning(f'report.html was not written ({type(error).__name__}: {reason}); to try again: '
                                  f'python tools/pretrain_report.py {quote(str(runner.work_dir))}')


def write_reports(runner: Runner) -> None:
    """Write what the processes of a run have not waited for.

    Args:
        runner (Runner): After training; its processes have parted.
    """
    if runner.world_size > 1 and runner.rank == 0:
        for hook in runner.hooks:
            if isinstance(hook, ReportHook):
                hook.write(runner)
