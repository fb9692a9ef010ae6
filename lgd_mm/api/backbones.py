"""Backbones by name, for ``--backbone``."""

import os
from typing import Any

from mmengine.config import Config

from lgd_mm.api.configs import ready_config
from lgd_mm.api.student import find_student
from lgd_mm.api.students import TIMM, student_config
from lgd_mm.students.read import read_student_file


def backbone_named(name: str) -> dict[str, Any]:
    """The config of a backbone.

    Args:
        name (str): A student (``lgd-mm list students``), ``'timm/NAME'``, a model of mmpretrain, or a file or folder of
            a student, whose backbone it is.

    Returns:
        dict[str, Any]: As ``model.backbone`` of a config.

    Raises:
        UserError: If there is none of that name; names the nearest.
    """
    if os.path.exists(name):
        return read_student_file(find_student(name)).backbone_config
    if not name.startswith(TIMM):
        from mmpretrain.apis.model import ModelHub, list_models
        if name in list_models():
            return _plain(ModelHub.get(name).config)
    file, changes = student_config(name)
    cfg = Config.fromfile(ready_config(file))
    cfg.merge_from_dict(changes)
    return _plain(cfg)


def _plain(cfg: Config) -> dict[str, Any]:
    backbone: dict[str, Any] = cfg.model.backbone.to_dict()
    kind = backbone['type']
    return {**backbone, 'type': kind if '.' in kind else f'mmpretrain.{kind}'}
