"""Hooks of a run."""

from lgd_mm.moved import moved_names

__getattr__ = moved_names(__name__, IterationSeedHook='lgd_mm.engine.hooks.iteration_seed',
                          UnreadableImagesHook='lgd_mm.engine.hooks.unreadable_images')
