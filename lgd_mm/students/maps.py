"""The maps that a backbone can give, and what it takes: asked of the backbone itself, without memory or weights."""

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.models.features import own_size
from lgd_mm.students.backbone import build_backbone, describe

#: Side of the image that a backbone is shown that takes any, in pixels.
PROBE = 256
#: Stride of the coarsest maps, in pixels.
COARSEST = 32


class Maps(NamedTuple):
    """What a backbone gives for dense tasks.

    Attributes:
        backbone (dict[str, Any]): The config of a backbone with these outputs.
        strides (tuple[int, ...]): Of each map, in pixels.
        channels (tuple[int, ...]): Of each map.
        divisor (int, optional): What divides the sides of images that it takes: 1 if they may be any, their own size
            for networks of windows; None if it takes no other size.
        size (int): Side of the images it was made for, in pixels.
    """

    backbone: dict[str, Any]
    strides: tuple[int, ...]
    channels: tuple[int, ...]
    divisor: int | None
    size: int

    @property
    def plain(self) -> bool:
        """Whether all maps are of one stride, as those of a plain transformer."""
        return len(set(self.strides)) == 1

    def chosen(self, strides: Sequence[int]) -> 'Maps | None':
        """Those of some strides, of each the last that there is.

        Args:
            strides (Sequence[int]): In pixels, the finest first; one that stands twice takes two maps.

        Returns:
            Maps, optional: With the backbone that gives them alone; None if there are none of such strides.
        """
        places: list[int] = []
        for stride in reversed(strides):
            place = next((index for index in reversed(range(places[0] if places else len(self.strides)))
                          if self.strides[index] == stride), None)
            if place is None:
                return None
            places.insert(0, place)
        given = self.backbone['out_indices']
        backbone = {**self.backbone, 'out_indices': tuple(given[place] for place in places)}
        return self._replace(
            backbone=backbone, strides=tuple(strides), channels=tuple(self.channels[place] for place in places))

    def last(self) -> 'Maps':
        """The last one alone."""
        backbone = {**self.backbone, 'out_indices': self.backbone['out_indices'][-1:]}
        return self._replace(backbone=backbone, strides=self.strides[-1:], channels=self.channels[-1:])


def maps_of(backbone: Mapping[str, Any], output_stride: int = COARSEST) -> Maps:
    """All maps of a backbone.

    Args:
        backbone (Mapping[str, Any]): Its config.
        output_stride (int): Stride of the coarsest map; networks of timm that can take out later strides and dilate
            instead do so. Defaults to 32.

    Returns:
        Maps: The finest first.

    Raises:
        UserError: If it gives none.
    """
    config = {key: value for key, value in backbone.items() if key != 'out_indices'}
    if 'model_name' in config:
        dilated = {} if output_stride == COARSEST else dict(output_stride=output_stride)
        return _of_timm({**config, **dilated, 'features_only': True})
    parameters = inspect.signature(MODELS.get(str(config['type']))).parameters
    if output_stride == 8 and {'strides', 'dilations'} <= set(parameters):
        config.update(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))
    if 'out_type' in parameters:  # mmpretrain's plain transformers
        config['out_type'] = 'featmap'
        return _measured({**config, 'out_indices': [-1]})  # mmpretrain writes into it
    network = _built(config)
    layers = next(filter(None, (getattr(network, name, None) for name in ('res_layers', 'stages', 'layers'))), None)
    if layers is None:
        raise UserError(no_maps(backbone))
    return _measured({**config, 'out_indices': tuple(range(len(layers)))})


def for_dense_guidance(backbone: Mapping[str, Any]) -> dict[str, Any]:
    """A student that gives the maps for dense guidance: those of strides 8, 16 and 32, or a plain transformer's last.

    Args:
        backbone (Mapping[str, Any]): Its config.

    Returns:
        dict[str, Any]: The config with the outputs.

    Raises:
        UserError: If there are no such maps.
    """
    maps = maps_of(backbone)
    chosen = maps.last() if maps.plain else maps.chosen((8, 16, 32))
    if chosen is None:
        has = ', '.join(map(str, maps.strides))
        raise UserError(f'the student ({describe(backbone)}) gives maps of strides {has}, and 8, 16 and 32 are needed: '
                        'take another, or --recipe published')
    return chosen.backbone


@torch.enable_grad()
def idle_parameters(backbone: Mapping[str, Any]) -> list[str]:
    """Parameters of a backbone that none of its outputs depends on.

    Args:
        backbone (Mapping[str, Any]): Its config, with the outputs that are used.

    Returns:
        list[str]: Their keys.
    """
    network = _built(backbone).to('meta')
    network.eval()  # mmpretrain's return nothing
    size = own_size(network)
    sum(each.sum() for each in network(torch.zeros(1, 3, size, size, device='meta'))).backward()
    return [key for key, parameter in network.named_parameters() if parameter.requires_grad and parameter.grad is None]


def no_maps(backbone: Mapping[str, Any], strides: Sequence[int] = (4, 8, 16, 32), has: Sequence[int] = ()) -> str:
    """The sentence about a backbone without the maps that a task needs.

    Args:
        backbone (Mapping[str, Any]): Its config.
        strides (Sequence[int]): That are needed. Defaults to those of detection and segmentation.
        has (Sequence[int]): Strides that there are. Defaults to none.
    """
    has_not = f'has maps of strides {", ".join(map(str, has))}' if has else 'has no maps of several strides'
    return (f'the student ({describe(backbone)}) {has_not}, and detection and segmentation need '
            f'{", ".join(map(str, strides))}: take it for classification, or another student '
            '(lgd-mm list students --head fpn)')


def _of_timm(config: dict[str, Any]) -> Maps:
    """timm says which maps there are; that they are where it says is measured."""
    try:
        network = _built(config)
        info: Any = network.timm_model.feature_info
        declared = tuple(info.reduction())
    except Exception as error:  # timm raises whatever comes first, for networks that it cannot take apart
        if 'output_stride' in config:
            raise UserError(f'the student ({describe(config)}) has no dilated form, and this config takes maps of '
                            f'stride {config["output_stride"]}: take one with UPerNet or an FPN') from error
        raise UserError(no_maps(config)) from error
    measured = _measured({**config, 'out_indices': tuple(info.out_indices)}, network)
    alike = len(declared) == len(measured.strides) and all(
        abs(math.log2(one / other)) < 0.25 for one, other in zip(declared, measured.strides))
    return measured._replace(strides=declared) if alike else measured


def _measured(config: dict[str, Any], network: Any = None) -> Maps:
    """What a backbone returns of an empty image."""
    network = (_built(config) if network is None else network).to('meta')
    network.eval()  # mmpretrain's return nothing
    own = side = own_size(network)
    if maps := _shown(network, PROBE, PROBE // 2):
        side, divisor = PROBE, 1 if _shown(network, PROBE + 1, PROBE // 2 + 3) else COARSEST
    elif maps := _shown(network, own, 2 * own):
        divisor = own
    else:
        maps, divisor = _shown(network, own, own), None
    if maps is None or any(not isinstance(each, Tensor) or each.dim() != 4 for each in maps):
        raise UserError(no_maps(config))
    return Maps(config, tuple(round(side / each.shape[2]) for each in maps), tuple(each.shape[1] for each in maps),
                divisor, own)


@torch.no_grad()
def _shown(network: nn.Module, height: int, width: int) -> tuple[Tensor, ...] | None:
    try:
        return tuple(network(torch.zeros(1, 3, height, width, device='meta')))
    except (AssertionError, IndexError, RuntimeError, ValueError):
        return None


def _built(config: Mapping[str, Any]) -> Any:
    # On the meta device from the beginning, if it can be: mmpretrain's read numbers while they are built.
    with torch.device('meta' if 'model_name' in config else 'cpu'):
        return build_backbone(Config(dict(default_scope='mmpretrain', model=dict(backbone=config))))
