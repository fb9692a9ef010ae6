"""Hooks and optimiser wrappers, registered in ``HOOKS`` and ``OPTIM_WRAPPERS``."""

from lgd_mm.engine.hooks import IterationSeedHook, UnreadableImagesHook

__all__ = ['IterationSeedHook', 'UnreadableImagesHook']
