"""A fine-tuned network as an ONNX file."""

import copy
import io
from pathlib import Path
from typing import NamedTuple

import onnx
import torch

from lgd_mm.console.quiet import quietly
from lgd_mm.console.words import first_line
from lgd_mm.deploy.families import deployed
from lgd_mm.deploy.source import FineTuned
from lgd_mm.errors import UserError
from lgd_mm.exports.check import sample_image
from lgd_mm.exports.graph import fix_padding

#: Of ONNX; RoIAlign takes the corners as mmcv does from 16 on.
OPSET = 17
#: Height and width of the image that a graph of any size is traced with.
TRACED = 128, 160
INPUTS = 'images', 'image_size', 'original_size'


class Graph(NamedTuple):
    """An ONNX file of a network.

    Attributes:
        file (Path): Where it lies.
        outputs (tuple[str, ...]): Names.
        size (tuple[int, int], optional): Height and width of the images it takes; None for any.
        one_image (bool): Whether it takes one image at a time.
        pastes_masks (bool): Whether masks are given within their boxes.
    """

    file: Path
    outputs: tuple[str, ...]
    size: tuple[int, int] | None
    one_image: bool
    pastes_masks: bool


def write_graph(network: FineTuned, file: Path, size: tuple[int, int] | None = None, raw: bool = False) -> Graph:
    """Trace a network and write it.

    The graph takes ``images``, RGB (B, 3, H, W) in [0, 1], the height and width of what they hold without padding,
    ``image_size`` (2, ), int64, and the same in pixels of the original image, ``original_size`` (2, ), float32.

    Args:
        network (FineTuned): The network.
        file (Path): Where to.
        size (tuple[int, int], optional): Height and width of the images, in pixels. Defaults to None: any.
        raw (bool): See :func:`lgd_mm.deploy.families.deployed`. Defaults to False.

    Returns:
        Graph: Written, and well-formed; nothing is compared.

    Raises:
        UserError: If the network cannot be traced.
    """
    model = copy.deepcopy(network.model)
    fix_padding(model)
    form = deployed(network, model, raw)
    height, width = size or TRACED
    axes: dict[str, dict[int, str]] = {} if form.one_image else {'images': {0: 'batch'}}
    if size is None:
        axes.setdefault('images', {}).update({2: 'height', 3: 'width'})
    for name in form.output_names:
        axes[name] = {0: 'found' if form.one_image else 'batch'}
    content = io.BytesIO()  # written by itself, a full disk is an OSError
    arguments = sample_image(height, width), torch.tensor([height, width]), torch.tensor([float(height), float(width)])
    try:
        with quietly(), torch.no_grad():
            torch.onnx.export(form, arguments, content, dynamo=False,  # type: ignore[arg-type]
                              opset_version=OPSET, input_names=list(INPUTS),
                              output_names=list(form.output_names), dynamic_axes=axes)
    except (RuntimeError, TypeError, ValueError, torch.onnx.errors.OnnxExporterError) as error:
        raise UserError(f'{network.path} cannot be brought to ONNX ({first_line(error)}): export its backbone alone '
                        '(--backbone-only)') from error
    content.seek(0)
    written = onnx.load(content)
    onnx.checker.check_model(written, full_check=True)
    file.write_bytes(written.SerializeToString())
    return Graph(file, form.output_names, size, form.one_image, form.pastes_masks)
