"""What the families of image towers share that embed positions in the joint space with text."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from lgd_mm.errors import UserError


class DenseTower:
    """An image tower's embedding and those of its positions, from one pass of its trunk.

    Args:
        visual (nn.Module): Image tower, folded by :func:`lgd_mm.models.teachers.folding.fold`. It is used as it is:
            neither changed nor copied.
        stride (int, optional): Of the map, in pixels of the image. Defaults to None: the tower's own.
        mode (str, optional): What the last attention becomes. Defaults to None: the family's first, if it has any.

    Attributes:
        family (str): What a user knows the tower by.
        strides (Sequence[int]): Which there are, the tower's own first.
        modes (Sequence[str]): Which there are.
        takes_any_size (bool): Whether :meth:`positions` takes images of any size.

    Raises:
        UserError: If the family has no such stride or mode.
    """

    takes_any_size = False
    family: str
    strides: Sequence[int]
    modes: Sequence[str]

    def __init__(self, visual: nn.Module, stride: int | None = None, mode: str | None = None) -> None:
        self.visual: Any = visual
        for key, value, known in (('dense_stride', stride, self.strides), ('dense_mode', mode, self.modes)):
            if value is not None and value not in known:
                has = f'has {", ".join(map(str, known))}' if known else 'has none, so leave it out'
                raise UserError(f'model.teacher.{key} is {value!r}: {self.family} {has}')

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embed images and their positions.

        Args:
            images (Tensor): (B, 3, H, W).

        Returns:
            tuple[Tensor, Tensor]: (B, D), what the tower itself gives, and (B, D, h, w), neither normalised.
        """
        raise NotImplementedError

    def positions(self, images: Tensor) -> Tensor:
        """Embed positions alone.

        Args:
            images (Tensor): (B, 3, H, W).

        Returns:
            Tensor: (B, D, h, w), not normalised.
        """
        return self(images)[1]


@contextmanager
def inputs_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """Keep what a module is called with first, while the context lasts."""
    kept: list[Tensor] = []
    handle = module.register_forward_pre_hook(lambda _, args: kept.append(args[0]))
    try:
        yield kept
    finally:
        handle.remove()


def as_map(rows: Tensor, height: int) -> Tensor:
    """Tokens (B, h * w, D), row by row, as a map (B, D, h, w)."""
    return rows.unflatten(1, (height, -1)).permute(0, 3, 1, 2)
