"""A folder as the Hugging Face hub has them, which timm loads from there and from the disk."""

import json
from pathlib import Path

import timm
from safetensors.torch import save
from timm.data.config import resolve_model_data_config

from lgd_mm.exports.check import SAME_KERNELS, sample_image
from lgd_mm.exports.targets import Written
from lgd_mm.exports.targets.timm import compare_with, returns, timm_weights
from lgd_mm.students.network import Student

#: What timm says of a network, whoever's weights it has.
OF_NETWORK = ('fixed_input_size', 'first_conv', 'classifier')
#: How students are tested: a crop from the middle, of images whose short side is 256 where it is 224.
TESTED = dict(interpolation='bilinear', crop_pct=0.875)

USAGE = """import timm
model = timm.create_model('local-dir:FOLDER', pretrained=True).eval()
transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))"""


def write(student: Student, folder: Path) -> Written:
    """Write ``model.safetensors`` and ``config.json``.

    Args:
        student (Student): Its architecture is one of timm's.
        folder (Path): Where to.

    Returns:
        Written: Loaded by timm's ``local-dir:``.

    Raises:
        UserError: If timm has no such network or computes something else.
    """
    known, weights = timm_weights(student)
    (folder / 'model.safetensors').write_bytes(save(weights, metadata={'format': 'pt'}))
    known_network = timm.get_pretrained_cfg(known.name)
    about = known_network.to_dict() if known_network else {}
    statistics = {key: [value / 255 for value in student.metadata[key]] for key in ('mean', 'std')}
    size = [3, student.image_size, student.image_size]
    config = dict(
        architecture=known.name,
        num_classes=0,
        num_features=student.outputs(sample_image())['pooled'].shape[1],
        model_args=known.arguments,
        pretrained_cfg={**{key: about[key] for key in OF_NETWORK if key in about}, **statistics, **TESTED,
                        'input_size': size, 'num_classes': 0})
    (folder / 'config.json').write_text(json.dumps(config, indent=2) + '\n')

    model = timm.create_model(f'local-dir:{folder}', pretrained=True)
    data = resolve_model_data_config(model)
    image = sample_image()
    mean, std = (image.new_tensor(data[key]).view(3, 1, 1) for key in ('mean', 'std'))
    difference = compare_with(model, student, (image - mean) / std)
    tags = ['timm', 'safetensors', 'feature-extraction', 'lgd_mm']
    return Written(f'timm {timm.__version__}', difference, SAME_KERNELS, USAGE, notes=returns(known),
                   card=dict(library_name='timm', pipeline_tag='image-feature-extraction', tags=tags))
