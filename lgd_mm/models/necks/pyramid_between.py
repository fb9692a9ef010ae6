"""A pyramid as wide as the maps of a student, which have the strides that it is made for."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from lgd_mm.errors import UserError
from lgd_mm.models.features import map_channels
from lgd_mm.registry import MODELS


def pyramid_between(pyramid: Mapping[str, Any] | None, backbone: nn.Module, embed_dim: int,
                    key: str = 'model.dense') -> Any:
    """Build a pyramid from a backbone's maps to a teacher's embeddings.

    Args:
        pyramid (Mapping[str, Any], optional): Its config; type and widths may be left out. None:
            :class:`lgd_mm.models.necks.PyramidProjection`.
        backbone (nn.Module): The student's, with an output for each level, the finest first.
        embed_dim (int): Width D of the teacher's embedding.
        key (str): What ``pyramid`` is a key of, for messages. Defaults to ``'model.dense'``.

    Returns:
        MapProjection: The pyramid.

    Raises:
        UserError: If the backbone gives no maps, or some of other strides than this kind of pyramid takes, or if
            ``channels`` is no width.
    """
    config = {'type': 'lgd_mm.PyramidProjection', **(pyramid or {})}
    kind = MODELS.get(config['type']) if isinstance(config['type'], str) else config['type']
    width = config.get('channels', 1)
    if type(width) is not int or width < 1:
        raise UserError(f'{key}.pyramid.channels is {width!r}: it is the width of the pyramid, such as 128')
    channels = map_channels(backbone, getattr(kind, 'strides', None), key)
    return MODELS.build({'in_channels': channels, 'out_channels': embed_dim, **config})
