"""Hooks, loops and optimiser wrappers, registered in ``HOOKS``, ``LOOPS`` and ``OPTIM_WRAPPERS``."""

from lgd_mm.engine.amp import CPUAmpOptimWrapper
from lgd_mm.engine.checkpoints import CheckpointHook
from lgd_mm.engine.export_hook import ExportStudentHook
from lgd_mm.engine.health import HealthHook
from lgd_mm.engine.hooks import IterationSeedHook, UnreadableImagesHook
from lgd_mm.engine.lazy_losses import LazyRuntimeInfoHook
from lgd_mm.engine.loops import EpochLoop
from lgd_mm.engine.non_finite import NonFiniteHook
from lgd_mm.engine.precise_bn import PreciseBNHook
from lgd_mm.engine.read_only import ReadOnlyOptimWrapper
from lgd_mm.engine.report_hook import ReportHook

__all__ = [
    'CPUAmpOptimWrapper', 'CheckpointHook', 'EpochLoop', 'ExportStudentHook', 'HealthHook',
    'IterationSeedHook', 'LazyRuntimeInfoHook', 'NonFiniteHook', 'PreciseBNHook', 'ReadOnlyOptimWrapper',
    'ReportHook', 'UnreadableImagesHook'
]
