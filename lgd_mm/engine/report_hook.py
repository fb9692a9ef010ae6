"""The report of a pre-training, at its end."""

from shlex import quote

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lgd_mm.models.bare_model import bare_model
from lgd_mm.registry import HOOKS


@HOOKS.register_module()
class ReportHook(Hook):
    """Writes ``report.html`` into the work dir after training, see
    :func:`lgd_mm.report.pretraining.write_pretraining_report`.

    A report that fails is one warning: the student is there.
    """

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Write the report; the other processes go on."""
        try:
            from lgd_mm.report.pretraining import write_pretraining_report  # here: it brings matplotlib along
            model = bare_model(runner.model)
            file = write_pretraining_report(runner.work_dir, runner.cfg, model)
            runner.logger.info(f'report written to {file}')
        except Exception as error:
            reason = (str(error).strip().splitlines() or [''])[0]
            runner.logger.warning(f'report.html was not written ({type(error).__name__}: {reason}); to try again: '
                                  f'python tools/pretrain_report.py {quote(str(runner.work_dir))}')
