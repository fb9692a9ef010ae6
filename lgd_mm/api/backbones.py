"""Backbones by name, for ``--backbone``."""

import os
from typing import Any

from mmengine.config import Config

from lgd_mm.api.configs import ready_config
from lgd_mm.api.student import find_student
from lgd_mm.api.students import STUDENTS, TIMM, student_config
from lgd_mm.safety.bounded_build import bounded_build
from lgd_mm.students.backbone import build_backbone
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
    if name not in STUDENTS and not name.startswith(TIMM):
        if os.path.exists(name):
            return _of_file(name)
        from mmpretrain.apis.model import ModelHub, list_models
        if name in list_models():
            return _plain(ModelHub.get(name).config)
    file, changes = student_config(name)
    cfg = Config.fromfile(ready_config(file))
    cfg.merge_from_dict(changes)
    return _plain(cfg)


def _of_file(path: str) -> dict[str, Any]:
    """What a student's file says, once it was seen that it builds no more than the file fills."""
    file = read_student_file(find_student(path))
    backbone = file.backbone_config
    with bounded_build(file.backbone.values(), file.path):
        build_backbone(Config(dict(default_scope='mmpretrain', model=dict(backbone=backbone))))
    return backbone


def _plain(cfg: Config) -> dict[str, Any]:
    backbone: dict[str, Any] = cfg.model.backbone.to_dict()
    kind = backbone['type']
    return {**backbone, 'type': kind if '.' in kind else f'mmpretrain.{kind}'}
