"""A student as transformers builds networks of timm: by their names."""

from typing import Any

import timm

from lgd_mm.errors import UserError
from lgd_mm.exports.architectures import NOT_TIMM, kind_of
from lgd_mm.exports.targets import unknown_to
from lgd_mm.exports.targets.timm import timm_weights
from lgd_mm.exports.transformers_form import BEHIND, Form
from lgd_mm.models.backbones.timm import for_any_size, timm_channels_last
from lgd_mm.models.backbones.timm_keys import in_form_of
from lgd_mm.students.maps import maps_of
from lgd_mm.students.network import Student

#: Of the maps that RT-DETR and D-FINE take.
STRIDES = (8, 16, 32)
#: What a network of timm may have been built with, as its maps in evaluation do not depend on it.
HARMLESS = ('num_classes', 'features_only', 'global_pool', 'out_indices', 'drop_rate', 'drop_path_rate', 'norm_cfg',
            'init_cfg', *NOT_TIMM)


def timm_form(student: Student) -> Form:
    """The form of a student that transformers builds by its name in timm.

    Args:
        student (Student): A network of timm, or one that timm has, too.

    Returns:
        Form: With maps of strides 8, 16 and 32.

    Raises:
        UserError: If there is none.
    """
    backbone: dict[str, Any] = student.metadata['backbone']
    if kind_of(backbone) == 'TIMMBackbone':
        name, settings, weights = str(backbone['model_name']).split('.')[0], backbone, student.backbone.state_dict()
    else:
        try:
            (name, settings), weights = timm_weights(student)
        except UserError as error:
            raise unknown_to('transformers', student, 'it is neither a ResNet nor a network of timm') from error
    if others := [key for key in settings if key not in HARMLESS]:
        raise unknown_to('transformers', student, f'it builds networks of timm without settings ({", ".join(others)})')
    if timm_channels_last(name):
        raise unknown_to('transformers', student, 'its detectors take maps with the channels first')
    maps = maps_of(dict(type='lgd_mm.TIMMBackbone', model_name=name))
    chosen = maps.chosen(STRIDES)
    if chosen is None:
        raise unknown_to('transformers', student, 'its detectors take maps of strides 8, 16 and 32, and this gives '
                         f'{", ".join(map(str, sorted(set(maps.strides))))}')
    if for_any_size(name):
        raise unknown_to('transformers', student, 'it builds this network of timm for images of one size')
    indices = list(chosen.backbone['out_indices'])
    names = timm.create_model(name, features_only=True, out_indices=indices).state_dict()
    fitting = in_form_of(names, weights)
    kept = {f'_backbone.{key}': fitting[key].detach().clone().contiguous() for key in names if key in fitting}
    return Form('timm_backbone', dict(backbone=name, out_indices=indices), kept, chosen.channels,
                (BEHIND, ) if len(kept) < len(fitting) else ())
