"""Hooks, loops and optimiser wrappers, registered in ``HOOKS``, ``LOOPS`` and ``OPTIM_WRAPPERS``."""

from lgd_mm.engine.amp import CPUAmpOptimWrapper
from lgd_mm.engine.hooks.checkpoints import CheckpointHook
from lgd_mm.engine.hooks.early_stopping import EarlyStoppingHook
from lgd_mm.engine.hooks.export_student import ExportStudentHook
from lgd_mm.engine.hooks.export_vl import ExportVLHook
from lgd_mm.engine.hooks.health import HealthHook
from lgd_mm.engine.hooks.iteration_seed import IterationSeedHook
from lgd_mm.engine.hooks.lazy_losses import LazyRuntimeInfoHook
from lgd_mm.engine.hooks.non_finite import NonFiniteHook
from lgd_mm.engine.hooks.precise_bn import PreciseBNHook
from lgd_mm.engine.hooks.report import ReportHook
from lgd_mm.engine.hooks.unreadable_images import UnreadableImagesHook
from lgd_mm.engine.hooks.vl_fit import VLFitHook
from lgd_mm.engine.loops import EpochLoop
from lgd_mm.engine.read_only import ReadOnlyOptimWrapper

__all__ = [
    'CPUAmpOptimWrapper', 'CheckpointHook', 'EarlyStoppingHook', 'EpochLoop', 'ExportStudentHook', 'ExportVLHook',
    'HealthHook', 'IterationSeedHook', 'LazyRuntimeInfoHook', 'NonFiniteHook', 'PreciseBNHook', 'ReadOnlyOptimWrapper',
    'ReportHook', 'UnreadableImagesHook', 'VLFitHook'
]
