"""Which form a pre-training takes: as published, or with dense guidance beside it."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from lgd_mm.api.methods import LGD, Method
from lgd_mm.api.teachers import LOCAL, teacher_size
from lgd_mm.api.values import AUTO, check_value
from lgd_mm.console.words import first_line
from lgd_mm.errors import UserError
from lgd_mm.students.maps import for_dense_guidance

#: Positions along a side that a map has at least, where the teacher can give as many.
POSITIONS = 8
#: Said where a student or a teacher has no maps.
CURE = 'take another, or --recipe published'


def settle_recipe(cfg: Config, student: str, recipe: str, method: Method = LGD) -> tuple[str, str]:
    """Bring the ready config of a student into a form.

    Args:
        cfg (Config): With the teacher of the run; changed in place.
        student (str): As :func:`lgd_mm.api.students.student_config` takes it.
        recipe (str): ``'dense'``, ``'published'`` or ``'auto'``: dense if student and teacher give maps. A student of
            timm gives them in another form of its network, so ``'auto'`` leaves it as published.
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
    if recipe == AUTO and student not in method.maps:
        return 'published', ('auto: a student of timm gives maps in another form of its network, without the layers '
                             'behind the last of them; --recipe dense takes that')
    try:
        backbone = (dict(out_indices=method.maps[student]) if student in method.maps
                    else for_dense_guidance(cfg.model.backbone))
        stride = _stride(cfg.model.teacher.model)
    except UserError as reason:
        if recipe == 'dense':
            raise
        return 'published', f'auto: {reason}'
    cfg.model.backbone.update(backbone)
    if stride is not None:
        cfg.model.teacher.dense_stride = stride
    cfg.model.dense = dict(type='lgd_mm.DenseGuidance', mimicking=0.5)
    return 'dense', 'auto: student and teacher give maps' if recipe == AUTO else 'given'


def _stride(model: str) -> int | None:
    """The coarsest stride of a teacher that has enough positions; None: it has one stride alone."""
    import open_clip
    import torch
    from open_clip.model import _build_vision_tower

    from lgd_mm.models.teachers.dense import dense_tower
    from lgd_mm.models.teachers.folder import check_folder
    folder = Path(model.removeprefix(LOCAL)) if model.startswith(LOCAL) else None
    if folder is not None:
        check_folder(folder)
    parts = open_clip.get_model_config(model)
    width, vision = parts.get('embed_dim'), {**parts['vision_cfg'], 'timm_model_pretrained': False}
    if folder is not None:
        width, vision = 64, _smallest(vision)
    try:
        with torch.device('meta'):  # neither memory nor weights are needed to know its family
            visual = _build_vision_tower(width, vision)
    except Exception as error:  # open_clip and timm raise whatever comes first
        raise UserError(f'the image tower of the teacher {model} cannot be made ({first_line(error)}): {CURE}'
                        ) from error
    strides = tuple(dense_tower(visual).strides)
    if len(strides) < 2:
        return None
    return next((stride for stride in strides if teacher_size(model) // stride >= POSITIONS), strides[-1])


def _smallest(vision: dict[str, Any]) -> dict[str, Any]:
    """The smallest tower of the family that a folder describes: one of its own size is built with its weights alone,
    which bound it, see OpenCLIPTeacher."""
    if vision.get('timm_model_name'):  # of timm's list, so of a known size
        kept = ('timm_model_name', 'timm_model_pretrained', 'timm_pool', 'timm_proj')
        return {key: vision[key] for key in kept if key in vision}
    layers = [1, 1, 1, 1] if isinstance(vision.get('layers'), list) else 1
    return dict(layers=layers, width=64, image_size=32, patch_size=32,
                attentional_pool=vision.get('attentional_pool', False))
