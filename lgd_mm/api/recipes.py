"""Which form a pre-training takes: as published, or with dense guidance beside it."""

from typing import Any

from mmengine.config import Config

from lgd_mm.api.auto import AUTO, check_value
from lgd_mm.api.methods import LGD, Method
from lgd_mm.errors import UserError

#: ``out_indices`` of strides 8, 16 and 32 in timm's ``features_only`` form.
TIMM_MAPS = (2, 3, 4)
#: Positions along a side that a map has at least, where the teacher can give as many.
POSITIONS = 8


def settle_recipe(cfg: Config, student: str, recipe: str, method: Method = LGD) -> tuple[str, str]:
    """Bring the ready config of a student into a form.

    Args:
        cfg (Config): With the teacher of the run; changed in place.
        student (str): As :func:`lgd_mm.api.students.student_config` takes it.
        recipe (str): ``'dense'``, ``'published'`` or ``'auto'``: dense if student and teacher give maps.
        method (Method): Of the pre-training. Defaults to LGD.

    Returns:
        tuple[str, str]: ``'dense'`` or ``'published'``, and why.

    Raises:
        UserError: If there is no such form, or student or teacher give no maps for the one that was asked for.
    """
    if recipe != AUTO:
        check_value('recipe', recipe)
    if recipe == 'published':
        return recipe, 'given'
    try:
        backbone, stride = _maps(student, cfg.model.backbone, method), _stride(cfg.model.teacher.model)
    except UserError as reason:
        if recipe == 'dense':
            raise
        return 'published', f'auto: {reason}'
    cfg.model.backbone.update(backbone)
    if stride is not None:
        cfg.model.teacher.dense_stride = stride
    cfg.model.dense = dict(type='lgd_mm.DenseGuidance')
    return 'dense', 'auto: student and teacher give maps' if recipe == AUTO else 'given'


def _maps(student: str, backbone: dict[str, Any], method: Method) -> dict[str, Any]:
    """What makes a student give maps of strides 8, 16 and 32."""
    if student in method.maps:
        return dict(out_indices=method.maps[student])
    import timm
    import torch
    try:
        with torch.device('meta'):
            network: Any = timm.create_model(backbone['model_name'], features_only=True, out_indices=TIMM_MAPS)
        strides = network.feature_info.reduction()
    except Exception as error:  # timm raises whatever comes first, for networks that it cannot take apart
        raise UserError(f'the student {student} gives no maps of several strides: take another, or '
                        '--recipe published') from error
    if list(strides) != [8, 16, 32]:
        raise UserError(f'the student {student} gives maps of strides {", ".join(map(str, strides))} instead of 8, 16 '
                        'and 32: take another, or --recipe published')
    return dict(features_only=True, out_indices=TIMM_MAPS)


def _stride(model: str) -> int | None:
    """The coarsest stride of a teacher that has enough positions; None: it has one stride alone."""
    import open_clip
    import torch
    from open_clip.model import _build_vision_tower

    from lgd_mm.models.teachers.dense import dense_tower
    parts = open_clip.get_model_config(model)
    with torch.device('meta'):  # neither memory nor weights are needed to know its family
        visual = _build_vision_tower(parts['embed_dim'], {**parts['vision_cfg'], 'timm_model_pretrained': False})
    strides, size = dense_tower(visual).strides, visual.image_size
    if len(strides) < 2:
        return None
    side = size if isinstance(size, int) else min(size)
    return next((stride for stride in strides if side // stride >= POSITIONS), strides[-1])
