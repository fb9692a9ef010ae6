"""A teacher of RN50's shape and an LGD on it, with random weights: only the time is measured."""

from typing import Any

import torch
import torch.nn.functional as F
from mmengine.device import get_device
from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor

from lgd_mm.models import LGD
from lgd_mm.models.teachers import Teacher
from lgd_mm.models.teachers.folding import fold
from lgd_mm.models.teachers.resnet_positions import ResNetPositions

WIDTH, SIZE = 1024, 224


def resnet50() -> ModifiedResNet:
    """CLIP RN50's image tower, frozen."""
    torch.manual_seed(0)
    return ModifiedResNet((3, 4, 6, 3), WIDTH, 32, SIZE, 64).eval().requires_grad_(False).to(get_device())


class RandomTeacher(Teacher):
    """That tower in the package's fast form; a text is a random direction."""

    embed_dim, fingerprint = WIDTH, 'benchmark'

    def __init__(self, precision: str = 'fp32', stride: int = 32) -> None:
        super().__init__((0.48, 0.46, 0.41), (0.27, 0.26, 0.28), (SIZE, SIZE), precision)
        self.visual = fold(resnet50())
        self.freeze()
        self.positions = ResNetPositions(self.visual, stride)

    def encode_image(self, images: Tensor) -> Tensor:
        """Embed images (B, 3, H, W) as (B, D)."""
        return self.visual(images)

    def check_dense(self) -> None:
        """It has positions."""

    def encode_both(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embed images as (B, D) and their positions as (B, D, h, w)."""
        return self.positions(images)

    def encode_text(self, texts: list[str]) -> Tensor:
        """Embed N texts as (N, D)."""
        return torch.randn(len(texts), WIDTH)

    def release_text(self) -> None:
        """There is no text tower."""


def lgd(teacher: Teacher, categories: int, dense: dict[str, Any] | None = None) -> LGD:
    """A ResNet-18 taught with so many made-up names, and at positions if ``dense`` says how."""
    torch.manual_seed(0)
    model = LGD(
        backbone=dict(type='mmpretrain.ResNet', depth=18, out_indices=(1, 2, 3) if dense else (3, )),
        neck=dict(type='lgd_mm.MLPProjection'),
        teacher=teacher,
        lgka=dict(type='lgd_mm.LGKA', categories=['one', 'two'], templates=['{}']),
        head=dict(type='lgd_mm.LGDHead'),
        dense=dense)
    set_categories(model.lgka, categories)
    return model.to(get_device()).train()


def set_categories(lgka: torch.nn.Module, categories: int) -> None:
    """Random banks of that many rows."""
    lgka.textual_bank, lgka.visual_bank = (F.normalize(torch.randn(categories, WIDTH), dim=1) for _ in range(2))
    lgka.counts = torch.zeros(categories, dtype=torch.int64)
