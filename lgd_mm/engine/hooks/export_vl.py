"""The trained model of vision and language, by itself, at the end of training."""

from pathlib import Path

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lgd_mm.models.vl import DistillVLM
from lgd_mm.models.vl.weights import write_model
from lgd_mm.registry import HOOKS
from lgd_mm.students.export import trained_model


@HOOKS.register_module()
class ExportVLHook(Hook):
    """Writes ``student.safetensors`` into the work dir after training: the model, of a distillation its student, with
    what ``lgd-mm caption`` and ``lgd-mm ask`` have to know of its data."""

    priority = 'VERY_LOW'

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Write the file."""
        model, config = trained_model(runner)[0], runner.cfg.model.to_dict()
        if isinstance(model, DistillVLM):
            model, config = model.student, config['student']
        file = Path(runner.work_dir) / 'student.safetensors'
        write_model(model, config, runner.iter, file, getattr(runner.train_dataloader.dataset, 'metainfo', None))
        runner.logger.info(f'student written to {file}')
