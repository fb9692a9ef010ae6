"""mmengine's runner, as every run here has it."""

import logging
import os
import re
from functools import partial
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import is_main_process
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from lgd_mm.console.quiet import LOGGED
from lgd_mm.datasets.shared_memory import shared
from lgd_mm.engine.frozen_backbone import asks_for_it, freeze_backbone, leave_out_frozen
from lgd_mm.engine.loader_workers import outlive_signals
from lgd_mm.io.files import write_text
from lgd_mm.models.backbones.timm import synchronise_timm

#: Beginnings of what only the log file is told.
FOR_THE_FILE = ('------', 'Config:', 'Hooks will be executed', 'Exp name: ', 'Distributed training is not used')
#: What no log is told: it says nothing, or once for each parameter of a frozen backbone what the config says.
NOT_TOLD = re.compile(f'{"|".join(map(re.escape, LOGGED))}|\\S+ is skipped since its requires_grad=False')


class QuietRunner(Runner):
    """mmengine's; versions, hooks and the whole config are in its log file alone, and not the first hundreds of lines
    that a user sees."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """As mmengine's."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                handler.addFilter(lambda record: not record.getMessage().lstrip('\n').startswith(FOR_THE_FILE))
        return logger

    def dump_config(self) -> None:
        """As mmengine's, but whole or not at all, and not through a link."""
        if is_main_process():
            name = os.path.basename(self.cfg.filename) if self.cfg.filename else f'{self.timestamp}.py'
            write_text(os.path.join(self.work_dir, name), self.cfg.dump())

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """As mmengine's, with the backbone frozen if the config says so; a model of which all is frozen has nothing to
        be shared by processes, and torch refuses to wrap it."""
        if asks_for_it(self.cfg):
            freeze_backbone(model)
        if self.distributed and torch.cuda.is_available():
            synchronise_timm(model)
        if self.distributed and not any(parameter.requires_grad for parameter in model.parameters()):
            return model.to(get_device())
        wrapped: nn.Module = super().wrap_model(model_wrapper_cfg, model)
        return wrapped

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """As mmengine's, but nothing of a frozen backbone is in it."""
        built = super().build_optim_wrapper(optim_wrapper)
        if asks_for_it(self.cfg):
            leave_out_frozen(built)
        return built

    @staticmethod
    def build_dataloader(*args: Any, **kwargs: Any) -> DataLoader[Any]:
        """As mmengine's, with workers that a signal to the whole run leaves alone, and that tell when there is no
        shared memory."""
        loader = Runner.build_dataloader(*args, **kwargs)
        loader.collate_fn = partial(shared, loader.collate_fn)
        outlive_signals(loader)
        return loader
