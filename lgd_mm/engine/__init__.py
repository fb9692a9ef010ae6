"""Hooks and optimiser wrappers, registered in ``HOOKS`` and ``OPTIM_WRAPPERS``."""

from lgd_mm.engine.amp import CPUAmpOptimWrapper
from lgd_mm.engine.export_hook import ExportStudentHook
from lgd_mm.engine.hooks import IterationSeedHook, UnreadableImagesHook
from lgd_mm.engine.lazy_losses import LazyRuntimeInfoHook
from lgd_mm.engine.read_only import ReadOnlyOptimWrapper
from lgd_mm.engine.report_hook import ReportHook

__all__ = [
    'CPUAmpOptimWrapper', 'ExportStudentHook', 'IterationSeedHook', 'LazyRuntimeInfoHook', 'ReadOnlyOptimWrapper',
    'ReportHook', 'UnreadableImagesHook'
]
