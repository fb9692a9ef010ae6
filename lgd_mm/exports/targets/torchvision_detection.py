"""A state dict for the backbones with an FPN of torchvision's detectors."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import __version__, models
from torchvision.models.detection import FasterRCNN, backbone_utils
from torchvision.ops import FrozenBatchNorm2d

from lgd_mm.exports.architectures import in_torchvision
from lgd_mm.exports.check import SAME_KERNELS, SIDE, compare, of_student, sample_image
from lgd_mm.exports.layers import renamed
from lgd_mm.exports.report import Difference
from lgd_mm.exports.targets import Written, unknown_to
from lgd_mm.io.files import save_torch
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.students.network import Student

#: What each function takes, so that all layers are trained and the maps have the strides 4, 8, 16 and 32.
ARGUMENTS: dict[str, dict[str, Any]] = dict(
    resnet_fpn_backbone=dict(trainable_layers=5),
    mobilenet_backbone=dict(fpn=True, trainable_layers=6, returned_layers=[1, 2, 3, 5]))
#: The layers whose maps have the strides 8, 16 and 32.
FROM_8 = dict(resnet_fpn_backbone=[2, 3, 4], mobilenet_backbone=[2, 3, 5])
#: What torchvision's norms divide by beside the variance, if they are not told.
EPS = 1e-5

USAGE = """import torch
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.backbone_utils import {function}
backbone = {function}({call})
backbone.body.load_state_dict(torch.load('FOLDER/{file}', weights_only=True))
detector = FasterRCNN(backbone, num_classes=91, image_mean={mean}, image_std={std})"""
WITH_EPS = """from functools import partial
from torchvision.ops import FrozenBatchNorm2d
"""
NOTES = (
    'All keys fit and the maps are the same in evaluation with FrozenBatchNorm2d, which torchvision takes here and no '
    'training changes, and with norm_layer={norm}, for batches of many images.',
    'MaskRCNN takes the same backbone; RetinaNet and FCOS with returned_layers={layers} and '
    'extra_blocks=LastLevelP6P7(256, 256), and the body has the same keys.')


def write(student: Student, folder: Path) -> Written:
    """Write ``NAME.pth``, the state dict of the ``body`` of torchvision's backbone NAME with an FPN.

    Args:
        student (Student): A ResNet or MobileNet of torchvision's.
        folder (Path): Where to.

    Returns:
        Written: Loaded into a detector, by strict keys.

    Raises:
        UserError: If torchvision has no such backbone or computes something else.
    """
    name, function = _backbone_of(student)
    arguments = dict(backbone_name=name, weights=None, **ARGUMENTS[function])
    build = partial(getattr(backbone_utils, function), **arguments)
    weights = renamed(student.backbone.state_dict(), build(norm_layer=nn.BatchNorm2d).body.state_dict())
    if weights is None:
        raise unknown_to('torchvision', student, f'{function} builds {name} in its full width alone, with '
                         'other layers (mmdet takes any width)')
    file = folder / f'{name}.pth'
    save_torch(file, weights)

    eps = max((module.eps for module in student.backbone.modules() if isinstance(module, nn.BatchNorm2d)), default=EPS)
    mean, std = ([round(value / 255, 6) for value in student.metadata[key]] for key in ('mean', 'std'))
    differences = []
    for norm in (FrozenBatchNorm2d, nn.BatchNorm2d):
        backbone = build(norm_layer=partial(norm, eps=eps))
        backbone.body.load_state_dict(load_checkpoint_file(file))
        detector = FasterRCNN(backbone, 91, min_size=SIDE, max_size=SIDE, image_mean=mean, image_std=std).eval()
        differences.append(compare(f'torchvision\'s {function}', *of_student(student, _maps(detector)), SAME_KERNELS))

    norm, needs = '{}', ''
    call = [f'{key}={value!r}' for key, value in arguments.items()]
    if eps != EPS:
        norm, needs = f'partial({{}}, eps={eps})', WITH_EPS
        call.append(f'norm_layer={norm.format("FrozenBatchNorm2d")}')
    usage = needs + USAGE.format(function=function, call=', '.join(call), file=file.name, mean=mean, std=std)
    notes = tuple(note.format(layers=FROM_8[function], norm=norm.format('torch.nn.BatchNorm2d')) for note in NOTES)
    return Written(f'torchvision {__version__}', Difference.largest_of(differences), SAME_KERNELS, usage, notes=notes)


def _backbone_of(student: Student) -> tuple[str, str]:
    """The name of a student's network, and the function of torchvision that puts it into a detector."""
    known = in_torchvision(student.metadata['backbone'])
    families = dict(resnet_fpn_backbone=models.resnet, mobilenet_backbone=models.mobilenet)
    for function, family in families.items():
        if known is not None and known.name in models.list_models() and hasattr(family, known.name):
            return known.name, function
    raise unknown_to('torchvision', student, 'its detectors take ResNets and MobileNets, and timm\'s networks as '
                     'docs/exports.md shows')


@torch.no_grad()
def _maps(detector: FasterRCNN) -> Mapping[str, Tensor]:
    """What a detector's backbone makes of the image, before the FPN."""
    images, _ = detector.transform([sample_image()[0]])
    maps: Mapping[str, Tensor] = detector.backbone.body(images.tensors)
    return {f'map {name}': found for name, found in maps.items()}
