"""What classifiers have in common that learn nothing and only remember features."""

from typing import Any

import torch
from mmengine.dist import all_gather, get_world_size
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from torch import Tensor

from lgd_mm.models.common import IMAGENET_PREPROCESSOR, check_finite
from lgd_mm.models.features import mean_pool, watch_channels
from lgd_mm.registry import MODELS


class FeatureMemory(BaseModel):
    """A frozen backbone, and what it made of the training images in one pass with ``lgd_mm.ReadOnlyOptimWrapper``: of
    each a row of features in float16, and some whole numbers, the first of them its label.

    Args:
        backbone (dict): Any mmpretrain backbone, or ``mmpretrain.TIMMBackbone``.
        data_preprocessor (dict, optional): Its ``mean`` and ``std`` are the backbone's. Defaults to ImageNet's.

    Attributes:
        seen (list[tuple[Tensor, ...]]): What this process has seen and not shared yet, by batches.
        bank (tuple[Tensor, ...]): The same columns of all that was shared; without images before.
    """

    #: Columns of whole numbers.
    NUMBERS = 1

    def __init__(self, backbone: dict[str, Any], data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__({**IMAGENET_PREPROCESSOR, **(data_preprocessor or {})})
        self.backbone = watch_channels(MODELS.build(backbone))
        self.seen: list[tuple[Tensor, ...]] = []
        self.bank = self._nothing()

    def train(self, mode: bool = True) -> Any:
        """The backbone is never trained and stays in eval mode.

        Before a test, all processes of a run come here: they share what they have seen, however many batches each had
        and will have.
        """
        if self.training and not mode:
            self.share()
        super().train(mode)
        self.backbone.eval()
        return self

    @torch.no_grad()
    def embed(self, inputs: Tensor) -> Tensor:
        """Pooled features (B, d) of normalised images (B, 3, H, W)."""
        return mean_pool(self.backbone(inputs)[-1]).float()

    def record(self, inputs: Tensor, data_samples: list[DataSample]) -> tuple[Tensor, ...]:
        """What is kept of a batch: features (B, d) in float16, and numbers (B, )."""
        raise NotImplementedError

    def predict(self, inputs: Tensor, data_samples: list[DataSample] | None = None) -> list[DataSample]:
        """Classify images by what was seen."""
        raise NotImplementedError

    def forward(self, inputs: Tensor, data_samples: list[DataSample] | None = None, mode: str = 'tensor') -> Any:
        """mmengine's entry: ``mode`` is ``'loss'`` (remembers, there is no loss), ``'predict'`` or ``'tensor'``."""
        if mode == 'loss':
            self.seen.append(self.record(inputs, data_samples or []))
            return {}
        if mode == 'predict':
            if self.seen:
                self.share()
            return self.predict(inputs, data_samples)
        return self.embed(inputs)

    def share(self) -> None:
        """Make the bank of what all processes have seen since it was made.

        Raises:
            UserError: If features are not finite.
        """
        columns = tuple(torch.cat(parts) for parts in zip(*self.seen)) or self._nothing()
        if get_world_size() > 1:
            features, *numbers = columns
            width = max(int(each) for each in all_gather(torch.tensor(features.shape[1], device=features.device)))
            columns = tuple(map(_of_all_processes, (features.reshape(len(features), width), *numbers)))
        check_finite(columns[0])
        if len(columns[0]):
            self.bank = columns
        self.seen.clear()

    def _nothing(self) -> tuple[Tensor, ...]:
        like = next(self.parameters())
        return (like.new_empty(0, 0, dtype=torch.half),
                *(like.new_empty(0, dtype=torch.long) for _ in range(self.NUMBERS)))


def _of_all_processes(part: Tensor) -> Tensor:
    """Concatenate what the processes hold, which may differ in length."""
    counts = [int(count) for count in all_gather(torch.tensor(len(part), device=part.device))]
    padded = torch.cat([part, part.new_zeros(max(counts) - len(part), *part.shape[1:])])
    return torch.cat([other[:count] for other, count in zip(all_gather(padded), counts)])
