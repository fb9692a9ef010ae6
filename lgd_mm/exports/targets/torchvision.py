"""A state dict for torchvision's own networks."""

from pathlib import Path

import torch
from torchvision import __version__, models
from torchvision.models.feature_extraction import create_feature_extractor

from lgd_mm.exports.architectures import in_torchvision
from lgd_mm.exports.check import SAME_KERNELS, compare, sample_image
from lgd_mm.exports.layers import renamed
from lgd_mm.exports.targets import Written, unknown_to
from lgd_mm.io.files import save_torch
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.students.network import Student

#: Layers behind the last map, which a student does not have.
HEADS = ('fc.', 'classifier.', 'head.')

USAGE = """import torch
from torchvision.models import get_model
model = get_model({call})
model.load_state_dict(torch.load('FOLDER/{file}', weights_only=True), strict=False)  # the head stays random
model.eval()"""


def write(student: Student, folder: Path) -> Written:
    """Write ``NAME.pth``, the state dict of ``torchvision.models.NAME`` without its head.

    Args:
        student (Student): Its architecture is one of torchvision's.
        folder (Path): Where to.

    Returns:
        Written: Loaded into torchvision's network.

    Raises:
        UserError: If torchvision has no such network or computes something else.
    """
    known = in_torchvision(student.metadata['backbone'])
    if known is None or known.name not in models.list_models():
        raise unknown_to('torchvision', student, 'it is none of its names')
    model = models.get_model(known.name, weights=None, **known.arguments)
    body = {key: value for key, value in model.state_dict().items() if not key.startswith(HEADS)}
    weights = renamed(student.backbone.state_dict(), body)
    if weights is None:
        raise unknown_to('torchvision', student, f'the layers of {known.name} are others')
    file = folder / f'{known.name}.pth'
    save_torch(file, weights)
    model.load_state_dict(load_checkpoint_file(file), strict=False)
    last = 'features' if hasattr(model, 'features') else 'layer4'
    body_only = create_feature_extractor(model.eval(), {last: 'features'})
    image = sample_image()
    with torch.no_grad():
        found = body_only(student.normalise(image))
    difference = compare(f'torchvision\'s {known.name}', dict(features=student.outputs(image)['features']), found,
                         SAME_KERNELS)
    call = ', '.join([repr(known.name), *(f'{key}={value!r}' for key, value in known.arguments.items())])
    return Written(f'torchvision {__version__}', difference, SAME_KERNELS, USAGE.format(call=call, file=file.name))
