"""A backbone for the detectors of transformers: RT-DETR, D-FINE, DETR."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from transformers import AutoConfig, RTDetrConfig, RTDetrForObjectDetection, RTDetrImageProcessor, __version__

from lgd_mm.exports.check import SAME_KERNELS, SIDE, compare, of_student, sample_image
from lgd_mm.exports.report import Difference
from lgd_mm.exports.targets import Written, unknown_to
from lgd_mm.exports.targets.transformers_timm import STRIDES, timm_form
from lgd_mm.exports.transformers_form import EPS, Form, own_form
from lgd_mm.students.network import Student

#: The weights.
FILE = 'model.safetensors'

USAGE = """from safetensors.torch import load_file
from transformers import AutoConfig, RTDetrConfig, RTDetrForObjectDetection, RTDetrImageProcessor
config = RTDetrConfig(
    backbone_config=AutoConfig.from_pretrained('FOLDER'), encoder_in_channels={channels}, num_labels=80{frozen})
detector = RTDetrForObjectDetection(config)
detector.model.backbone.model.load_state_dict(load_file('FOLDER/model.safetensors'))
processor = RTDetrImageProcessor(do_normalize=True, image_mean={mean}, image_std={std})"""
OTHERS = 'DFineConfig and DFineForObjectDetection take it in the same way.'
BOTH = ('The maps are the same with norms that are frozen, as transformers does by itself, and with '
        'freeze_backbone_batch_norms=False, which trains them.')
NOT_FROZEN = ('freeze_backbone_batch_norms stays False: transformers would put norms without the activations of this '
              'network, or with another epsilon, into their places.')
NORMALISED = 'RT-DETR\'s own image processor does not normalise; this student needs it, as the code says.'


def write(student: Student, folder: Path) -> Written:
    """Write ``config.json`` and ``model.safetensors`` of a backbone of transformers.

    Args:
        student (Student): A ResNet of any width, a ResNet-vd, or a network of timm with maps of strides 8, 16 and 32.
        folder (Path): Where to.

    Returns:
        Written: Loaded into RT-DETR, by strict keys.

    Raises:
        UserError: If transformers has no such backbone or computes something else.
    """
    form = own_form(student.metadata['backbone'], student.backbone.state_dict()) or timm_form(student)
    AutoConfig.for_model(form.model_type, **form.settings).save_pretrained(folder)
    (folder / FILE).write_bytes(save(form.weights, metadata={'format': 'pt'}))

    mean, std = ([round(value / 255, 6) for value in student.metadata[key]] for key in ('mean', 'std'))
    processor = RTDetrImageProcessor(do_normalize=True, image_mean=mean, image_std=std)
    differences = []
    detector = _filled(student, form, folder, frozen=False)
    freezes = all(type(module) is nn.BatchNorm2d and module.eps == EPS
                  for module in detector.model.backbone.modules() if isinstance(module, nn.BatchNorm2d))
    for one in [detector, *([_filled(student, form, folder, frozen=True)] if freezes else [])]:
        differences.append(compare('transformers', *of_student(student, _maps(one, processor)), SAME_KERNELS))
    usage = USAGE.format(channels=list(form.channels), mean=mean, std=std,
                         frozen='' if freezes else ', freeze_backbone_batch_norms=False')
    notes = *form.notes, BOTH if freezes else NOT_FROZEN, OTHERS, NORMALISED
    return Written(f'transformers {__version__}', Difference.largest_of(differences), SAME_KERNELS, usage, notes=notes)


def _filled(student: Student, form: Form, folder: Path, frozen: bool) -> RTDetrForObjectDetection:
    """RT-DETR with what was written, and a decoder as short as transformers allows: its backbone is what counts."""
    backbone = AutoConfig.from_pretrained(folder)  # nosec B615  # a folder on this machine, nothing is downloaded
    config = RTDetrConfig(backbone_config=backbone, encoder_in_channels=list(form.channels),
                          decoder_layers=2, freeze_backbone_batch_norms=frozen)
    detector = RTDetrForObjectDetection(config).eval()
    try:
        detector.model.backbone.model.load_state_dict(load_file(folder / FILE))
    except RuntimeError as error:
        raise unknown_to('transformers', student, f'the layers of its {form.model_type} are others') from error
    return detector


@torch.no_grad()
def _maps(detector: RTDetrForObjectDetection, processor: RTDetrImageProcessor) -> dict[str, Tensor]:
    """What a detector's backbone makes of the image."""
    image = (sample_image()[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    pixels = processor(images=[image], size=dict(height=SIDE, width=SIDE), return_tensors='pt')['pixel_values']
    maps = detector.model.backbone(pixels, torch.ones(1, SIDE, SIDE))
    return {f'map of stride {stride}': found for stride, (found, _) in zip(STRIDES, maps)}
