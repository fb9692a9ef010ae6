"""Positions of CLIP's ResNets: the values of the attention pool."""

import itertools

from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor

from lgd_mm.models.teachers.a_trous import STRIDES, ATrousLayers, trunk
from lgd_mm.models.teachers.dense_tower import DenseTower


class ResNetPositions(DenseTower):
    """The attention pool on each position alone (`arXiv:2112.01071 <https://arxiv.org/abs/2112.01071>`_). For a finer
    map the layers that lose their stride run a second time; the image's embedding keeps the trunk's own."""

    takes_any_size = True
    family = 'a CLIP ResNet'
    strides = tuple(STRIDES)
    modes = ('maskclip', )

    def __init__(self, visual: ModifiedResNet, stride: int | None = None, mode: str | None = None) -> None:
        super().__init__(visual, stride, mode)
        self.finer = ATrousLayers(visual, stride or self.strides[0])

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embed images and positions, see :class:`DenseTower`."""
        outputs = list(trunk(self.visual, images))
        return self.visual.attnpool(outputs[-1]), self._of_map(outputs[self.finer.begin - 1])

    def positions(self, images: Tensor) -> Tensor:
        """Embed positions alone, see :class:`DenseTower`: no layer runs twice."""
        return self._of_map(next(itertools.islice(trunk(self.visual, images), self.finer.begin - 1, None)))

    def _of_map(self, features: Tensor) -> Tensor:
        """From the trunk's map before the layers that differ from its own."""
        positions: Tensor = self.visual.attnpool.dense(self.finer(features))
        return positions
