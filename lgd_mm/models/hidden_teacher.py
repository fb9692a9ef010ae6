"""A frozen teacher that no checkpoint, optimiser or wrapper sees."""

from typing import Any

import torch
from torch import nn

from lgd_mm.registry import MODELS


class HiddenTeacher:
    """A part of a distiller, in front of its class of modules: the teacher is held outside nn.Module's sight, so that
    no checkpoint, optimiser, ``init_weights()`` or ``train()`` reaches it; ``to()``, ``cuda()`` and ``half()`` do."""

    teacher: Any

    def hide_teacher(self, teacher: Any, init_weights: bool = False) -> None:
        """Take a teacher.

        Args:
            teacher (dict | nn.Module): Its config, or one that is built already.
            init_weights (bool): One that is built here reads its weights by ``init_weights()``. Defaults to False.
        """
        with torch.random.fork_rng(devices=[]):  # the student begins the same whatever the teacher draws
            if not isinstance(teacher, nn.Module):
                teacher = MODELS.build(teacher)
                if init_weights:
                    teacher.init_weights()
        object.__setattr__(self, 'teacher', teacher)

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        """Move the teacher along."""
        self.teacher._apply(fn, recurse)
        return super()._apply(fn, recurse)  # type: ignore[misc]
