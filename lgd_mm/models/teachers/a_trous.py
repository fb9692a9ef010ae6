"""A CLIP ResNet's last layers without their strides: maps of finer positions from the same weights."""

import copy
from collections.abc import Iterator
from typing import Any

import torch.nn.functional as F
from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor, nn

#: Strides of maps, and how many of the last layers go without their own.
STRIDES = {32: 0, 16: 1, 8: 2}


class ATrousLayers(nn.Module):
    """The last layers of a CLIP ResNet, dilated where the trunk strides (`arXiv:1606.00915
    <https://arxiv.org/abs/1606.00915>`_, Sec. 3.1); the weights are the trunk's own, not copies of them.

    Args:
        visual (ModifiedResNet): The trunk.
        stride (int): Of the map in pixels of the image: 32, 16 or 8.

    Attributes:
        begin (int): The first layer that differs from the trunk's, 3 or 4; 5: none.
    """

    def __init__(self, visual: ModifiedResNet, stride: int) -> None:
        super().__init__()
        self.begin = 5 - STRIDES[stride]
        shared = {id(parameter): parameter for parameter in visual.parameters()}
        shared.update({id(buffer): buffer for buffer in visual.buffers()})
        self.layers = nn.Sequential(*(
            _dilated(copy.deepcopy(getattr(visual, f'layer{number}'), shared), 2**(number - self.begin))
            for number in range(self.begin, 5)))

    def forward(self, features: Tensor) -> Tensor:
        """From the outputs of the layer before :attr:`begin` (B, d, H, W) to (B, d', H, W)."""
        return self.layers(features)


class _Binomial(nn.Module):
    """``[1, 2, 1] / 4`` in either direction with gaps: the average of two positions, centred on one of them."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        gap = self.dilation
        padded = F.pad(x, (gap, gap, gap, gap), 'replicate')
        rows = (padded[..., :-2 * gap, :] + 2 * padded[..., gap:-gap, :] + padded[..., 2 * gap:, :]) / 4
        return (rows[..., :-2 * gap] + 2 * rows[..., gap:-gap] + rows[..., 2 * gap:]) / 4


def _dilated(layer: Any, dilation: int) -> Any:
    """Take a layer's stride out, which its first block has behind the 3 x 3 convolution and before the shortcut; what
    follows looks twice as far.

    Args:
        layer (nn.Module): Blocks, changed in place; a convolution's weights are not.
        dilation (int): Of its input.
    """
    blocks: list[Any] = list(layer.children())
    for number, block in enumerate(blocks):
        _spread(block.conv2, dilation if number == 0 else 2 * dilation)
    first = blocks[0]
    first.avgpool = _Binomial(dilation)
    first.downsample[0] = _Binomial(dilation)
    return layer


def _spread(conv: nn.Conv2d, dilation: int) -> None:
    conv.dilation = conv.padding = (dilation, dilation)


def trunk(visual: ModifiedResNet, images: Tensor) -> Iterator[Tensor]:
    """Outputs of the stem and of the four layers (B, d, H, W), each computed when it is asked for."""
    features = visual.stem(images)
    yield features
    for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
        features = layer(features)
        yield features
