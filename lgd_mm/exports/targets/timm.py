"""A state dict for timm's own networks."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from lgd_mm.exports.architectures import Architecture, in_timm
from lgd_mm.exports.check import SAME_KERNELS, compare, sample_image
from lgd_mm.exports.layers import renamed
from lgd_mm.exports.report import Difference
from lgd_mm.exports.targets import Written, unknown_to
from lgd_mm.students.network import Student

USAGE = """import timm
from safetensors.torch import load_file
model = timm.create_model({call})
model.load_state_dict(load_file('FOLDER/{file}'))
model.eval()"""


def write(student: Student, folder: Path) -> Written:
    """Write ``NAME.safetensors``, the state dict of timm's NAME without its classifier.

    Args:
        student (Student): Its architecture is one of timm's.
        folder (Path): Where to.

    Returns:
        Written: Loaded into timm's network.

    Raises:
        UserError: If timm has no such network or computes something else.
    """
    known, weights = timm_weights(student)
    file = folder / f'{known.name}.safetensors'
    file.write_bytes(save(weights, metadata={'format': 'pt'}))

    model = timm.create_model(known.name, **known.arguments)
    model.load_state_dict(load_file(file))
    difference = compare_with(model, student, student.normalise(sample_image()))
    call = ', '.join([repr(known.name), *(f'{key}={value!r}' for key, value in known.arguments.items())])
    return Written(f'timm {timm.__version__}', difference, SAME_KERNELS, USAGE.format(call=call, file=file.name),
                   notes=returns(known))


def timm_weights(student: Student) -> tuple[Architecture, dict[str, Tensor]]:
    """The network of timm that a student is, and the student's weights under its keys.

    Raises:
        UserError: If timm has no such network.
    """
    known = in_timm(student.metadata['backbone'])
    if known is None or not timm.is_model(known.name):
        raise unknown_to('timm', student, 'it is none of its names')
    model = timm.create_model(known.name, **known.arguments).eval()
    names = model.state_dict()
    weights = renamed(_in_order(student.backbone.state_dict(), names), names)
    if weights is None:
        raise unknown_to('timm', student, f'the layers of {known.name} are others')
    model.load_state_dict(weights)
    if not known.arguments.get('features_only') and not _pools_alike(model, student):
        known.arguments['global_pool'] = ''
    return known, weights


def _in_order(weights: dict[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
    """Weights in timm's order where it has the same names, but for its stages': the layers of a CSPNeXt are registered
    otherwise than in mmdet."""
    ours = [re.sub(r'^stages\.(\d+)', lambda stage: f'stage{int(stage[1]) + 1}', name) for name in names]
    return {name: weights[name] for name in ours} if {*ours} == {*weights} else weights


@torch.no_grad()
def _pools_alike(model: nn.Module, student: Student) -> bool:
    """Whether timm's pooled features are the means of the student's: some networks have layers behind the pooling, and
    transformers a token of their own for it."""
    pooled = student.outputs(sample_image())['pooled']
    found = model(student.normalise(sample_image()))
    return found.shape == pooled.shape and bool((found - pooled).abs().max() <= SAME_KERNELS * pooled.abs().max())


@torch.no_grad()
def compare_with(model: nn.Module, student: Student, inputs: Tensor) -> Difference:
    """Compare what a network of timm gives with the student's own outputs.

    Args:
        model (nn.Module): As its user builds it.
        student (Student): The student.
        inputs (Tensor): The normalised image (1, 3, 224, 224).

    Returns:
        Difference: Of the last map, and of the pooled features where timm pools.

    Raises:
        UserError: If they differ.
    """
    expected = student.outputs(sample_image())
    outputs = model.eval()(inputs)
    if isinstance(outputs, (list, tuple)):
        found = dict(features=outputs[-1])
    elif outputs.dim() > 2:
        found = dict(features=outputs)
    else:
        reset: Any = model.reset_classifier
        reset(0, '')
        found = dict(pooled=outputs, features=model(inputs))
    return compare('timm', {name: expected[name] for name in found}, found, SAME_KERNELS)


def returns(known: Architecture) -> tuple[str, ...]:
    """What the network gives, where it is not the pooled features."""
    if known.arguments.get('features_only'):
        return ("timm's network returns a list of maps; the last are the student's features.", )
    if known.arguments.get('global_pool') == '':
        return ("timm's network returns the student's features without pooling: take their mean over all positions.", )
    return ()
