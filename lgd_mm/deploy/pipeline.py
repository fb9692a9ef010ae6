"""A config's test pipeline as the steps of ``predict.py``."""

from collections.abc import Mapping, Sequence
from typing import Any

from lgd_mm.errors import UserError

#: Transforms that read, label or pack, and change no pixel.
NO_CHANGE = ('LoadImageFromFile', 'LoadImage', 'LoadAnnotations', 'PackDetInputs', 'PackSegInputs', 'PackInputs')
#: Of Pillow's filters, those that mmcv knows by these names.
PILLOW = ('bilinear', 'nearest')


def steps_of(pipeline: Sequence[Mapping[str, Any]], source: object) -> list[dict[str, Any]]:
    """What ``predict.py`` is to do with an image.

    Args:
        pipeline (Sequence[Mapping[str, Any]]): Of the test data.
        source (object): Where it was read, for messages.

    Returns:
        list[dict[str, Any]]: A step each, of plain JSON.

    Raises:
        UserError: If ``predict.py`` cannot do as a transform does.
    """
    steps = [_step(transform, source) for transform in pipeline]
    return [step for step in steps if step]


def _step(transform: Mapping[str, Any], source: object) -> dict[str, Any] | None:
    name = str(transform['type']).rpartition('.')[2]
    if name in NO_CHANGE:
        return None
    if name == 'Resize' and transform.get('scale') is not None:
        scale = transform['scale']
        width, height = (scale, scale) if isinstance(scale, int) else scale
        kept = transform.get('keep_ratio', False)
        return dict(do='fit' if kept else 'stretch', size=[height, width], **_filter(transform, source))
    if name == 'ResizeEdge':
        return dict(do='edge', edge=transform.get('edge', 'short'), size=[transform['scale']] * 2,
                    **_filter(transform, source))
    if name == 'CenterCrop' and not transform.get('auto_pad') and not transform.get('efficientnet_style'):
        size = transform['crop_size']
        return dict(do='crop', size=[size, size] if isinstance(size, int) else [size[1], size[0]])
    if name == 'Pad' and transform.get('size') and not transform.get('pad_to_square'):
        width, height = transform['size']
        value = transform.get('pad_val', 0)
        value = value.get('img', 0) if isinstance(value, Mapping) else value
        values = [value] * 3 if isinstance(value, (int, float)) else list(value)[::-1]  # of BGR
        return dict(do='pad', size=[height, width], value=values)
    raise UserError(f'{source}: the test pipeline has {transform["type"]} ({_told(transform)}), which an exported '
                    'network cannot do outside of OpenMMLab: train with Resize, Pad, ResizeEdge and CenterCrop, or '
                    'export the backbone alone (--backbone-only)')


def _filter(transform: Mapping[str, Any], source: object) -> dict[str, str]:
    backend, name = transform.get('backend', 'cv2'), transform.get('interpolation', 'bilinear')
    if backend == 'pillow' and name in PILLOW:
        return {'with': 'pillow', 'filter': name}
    if backend == 'cv2' and name == 'bilinear':
        return {'with': 'opencv', 'filter': name}
    raise UserError(f'{source}: the test pipeline resizes by {name} of {backend}, which an exported network cannot do '
                    'outside of OpenMMLab: train with bilinear, or export the backbone alone (--backbone-only)')


def _told(transform: Mapping[str, Any]) -> str:
    return ', '.join(f'{key}={value}' for key, value in transform.items() if key != 'type')
