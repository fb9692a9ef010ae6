"""A checkpoint and the config that loads it, for mmpretrain, mmdet and mmseg."""

import importlib
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from lgd_mm.console.words import first_line
from lgd_mm.errors import UserError
from lgd_mm.exports.check import SAME_KERNELS, compare, of_student, sample_image
from lgd_mm.exports.report import Difference
from lgd_mm.exports.targets import Written, unknown_to
from lgd_mm.io.key_report import KeyReport
from lgd_mm.models.backbones.timm import for_any_size, timm_channels_last
from lgd_mm.models.backbones.timm_keys import in_form_of
from lgd_mm.students.file import write_student
from lgd_mm.students.maps import maps_of
from lgd_mm.students.network import Student
from lgd_mm.students.swap import DENSE

STRIDES = (4, 8, 16, 32)

BEGIN = """# {student}: to be inherited, as README.md shows. The checkpoint lies beside this file.
"""

USAGE_MAPS = """_base_ = ['{base}', 'FOLDER/backbone.py']
model = dict(
    backbone=dict(_delete_=True, **_base_.backbone),{necks}
    data_preprocessor=dict(mean=_base_.mean, std=_base_.std))
# or, in a config that has this backbone already:
#   init_cfg=dict(type='Pretrained', checkpoint='FOLDER/student.pth', prefix='backbone.')"""
NECKS = dict(
    mmdet="\n    neck=dict(in_channels=_base_.channels),",
    mmseg='\n    pretrained=None,\n    decode_head=dict(in_channels=_base_.channels),'
          '\n    auxiliary_head=dict(in_channels=_base_.channels[2]),')
BASES = dict(mmdet='mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py',
             mmseg='mmseg::upernet/upernet_r50_4xb4-80k_ade20k-512x512.py')
USAGE = """_base_ = ['mmpretrain::resnet/resnet18_8xb32_in1k.py', 'FOLDER/backbone.py']
model = dict(backbone=dict(_delete_=True, **_base_.backbone), head=dict(in_channels=_base_.channels[-1]))
data_preprocessor = dict(mean=_base_.mean, std=_base_.std, to_rgb=True)
# or, in a config that has this backbone already:
#   init_cfg=dict(type='Pretrained', checkpoint='FOLDER/student.pth', prefix='backbone.')"""


def write_mmpretrain(student: Student, folder: Path) -> Written:
    """Write ``student.pth`` and ``backbone.py``, whose backbone ends with the student's own output.

    Args:
        student (Student): Any.
        folder (Path): Where to.

    Returns:
        Written: Built by mmpretrain from the config.

    Raises:
        UserError: If mmpretrain computes something else.
    """
    maps = _write(student, folder, 'mmpretrain', _of_library(student.metadata['backbone']))
    expected = student.outputs(sample_image())['features']
    return _written('mmpretrain', compare('mmpretrain', dict(features=expected), dict(features=maps[-1]), SAME_KERNELS),
                    USAGE)


def write_mmdet(student: Student, folder: Path) -> Written:
    """As :func:`write_mmpretrain`, with the maps of strides 4, 8, 16 and 32 for a detector's neck."""
    return _write_dense(student, folder, 'mmdet')


def write_mmseg(student: Student, folder: Path) -> Written:
    """As :func:`write_mmpretrain`, with the maps of strides 4, 8, 16 and 32 for a segmentor's head."""
    return _write_dense(student, folder, 'mmseg')


def _write_dense(student: Student, folder: Path, library: str) -> Written:
    backbone = _of_library(student.metadata['backbone'])
    kind = backbone['type'] if 'model_name' in backbone else DENSE.get(backbone['type'], backbone['type'])
    try:
        chosen = maps_of({**backbone, 'type': kind}).chosen(STRIDES)
    except UserError as error:
        raise unknown_to(library, student, f'it gives no maps ({first_line(error)})') from error
    if chosen is None:
        raise unknown_to(library, student, 'its outputs have not the strides 4, 8, 16 and 32')
    maps = _write(student, folder, library, chosen.backbone)
    names = [f'map of stride {stride}' for stride in STRIDES]
    difference = compare(library, *of_student(student, dict(zip(names, maps))), SAME_KERNELS)
    return _written(library, difference, USAGE_MAPS.format(base=BASES[library], necks=NECKS[library]))


def _of_library(backbone: dict[str, Any]) -> dict[str, Any]:
    """A backbone without this package where mmpretrain's own class does the same."""
    if 'model_name' not in backbone or timm_channels_last(backbone['model_name']):
        return backbone
    return {**for_any_size(backbone['model_name']), **backbone, 'type': 'mmpretrain.TIMMBackbone'}


def _write(student: Student, folder: Path, library: str, backbone: dict[str, Any]) -> tuple[Tensor, ...]:
    """Write checkpoint and config, and return what the library's backbone makes of the image."""
    write_student(_weights(student, library, backbone), student.metadata, folder / 'student')
    (folder / 'student.safetensors').unlink()
    init = dict(type='Pretrained', checkpoint='{{ fileDirname }}/student.pth', prefix='backbone.')
    scope = 'lgd_mm' if backbone['type'].startswith('lgd_mm.') else f'{backbone["type"].split(".")[0]}.models'
    settings = dict(
        custom_imports=dict(imports=[scope], allow_failed_imports=False),
        backbone=dict(backbone, init_cfg=init),
        channels=[0],
        mean=student.metadata['mean'],
        std=student.metadata['std'])
    file = folder / 'backbone.py'
    _write_config(file, student, settings)
    with torch.no_grad():
        maps = tuple(_built(library, Config.fromfile(file).backbone)(student.normalise(sample_image())))
    settings['channels'] = [found.shape[1] if found.dim() != 3 else found.shape[2] for found in maps]
    _write_config(file, student, settings)
    return maps


def _weights(student: Student, library: str, backbone: dict[str, Any]) -> dict[str, Tensor]:
    """The student's weights under the backbone's keys: timm calls layers otherwise where it returns several maps."""
    try:
        names = _built(library, backbone).state_dict()
    except (AssertionError, AttributeError, IndexError, KeyError, RuntimeError, TypeError) as error:
        reason = first_line(error)
        raise unknown_to(library, student, f'it cannot be built to return several maps ({reason})') from error
    weights = student.backbone.state_dict()
    weights = in_form_of(names, weights) if 'model_name' in backbone else weights
    if not KeyReport.compare(names, weights).complete:
        raise unknown_to(library, student, 'its backbone with maps of several strides has other layers')
    return weights


def _write_config(file: Path, student: Student, settings: dict[str, Any]) -> None:
    file.write_text(BEGIN.format(student=student.architecture) + Config(settings).pretty_text)


def _built(library: str, backbone: dict[str, Any]) -> nn.Module:
    """A backbone as the library makes it of a config: built, and begun by its ``init_cfg``."""
    registry = importlib.import_module(f'{library}.registry').MODELS
    with DefaultScope.overwrite_default_scope(library):
        module: nn.Module = registry.build(backbone)
    if backbone.get('init_cfg'):
        module.init_weights()  # type: ignore[operator]
    module.eval()
    return module


def _written(library: str, difference: Difference, usage: str) -> Written:
    version = importlib.import_module(library).__version__
    return Written(f'{library} {version}', difference, SAME_KERNELS, usage)
