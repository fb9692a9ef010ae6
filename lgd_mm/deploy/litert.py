"""A network in the form of TFLite, by LiteRT Torch."""

import copy
from importlib.metadata import version
from pathlib import Path

import litert_torch
import torch
from torch import Tensor, nn

from lgd_mm.deploy.classifier import Classifier
from lgd_mm.deploy.families import deployed
from lgd_mm.deploy.graph import Graph
from lgd_mm.deploy.network import DeployedNetwork
from lgd_mm.deploy.segmentor import Segmentor
from lgd_mm.deploy.source import FineTuned
from lgd_mm.errors import UserError
from lgd_mm.exports.check import sample_image
from lgd_mm.exports.graph import fix_padding


class _OneSize(nn.Module):
    """A network for one image that fills the graph."""

    def __init__(self, form: DeployedNetwork) -> None:
        super().__init__()
        self.form = form

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        size = torch.tensor(images.shape[2:])
        return dict(zip(self.form.output_names, self.form(images, size, size.float())))


def write(network: FineTuned, file: Path, size: tuple[int, int] | None, raw: bool) -> tuple[Graph, str]:
    """Convert a classifier, or what a segmentation network gives before it is scaled up.

    Args:
        network (FineTuned): The network.
        file (Path): ``.tflite`` to write.
        size (tuple[int, int], optional): Height and width of the images, in pixels.
        raw (bool): Without what follows the network.

    Returns:
        tuple[Graph, str]: Written, for one image; and the library with its version.

    Raises:
        UserError: If TFLite cannot take the network.
    """
    model = copy.deepcopy(network.model)
    fix_padding(model)
    form = deployed(network, model, raw)
    if not isinstance(form, Classifier) and not (isinstance(form, Segmentor) and raw):
        what = 'raw outputs of segmentation networks (--raw)' if isinstance(form, Segmentor) else 'no detectors'
        raise UserError(f'litert takes classifiers and {what}, as TFLite has no sizes that are open, and no '
                        'non-maximum suppression in all its runtimes: export to onnx or openvino')
    if isinstance(form, Segmentor):  # in a form without integers that depend on the size, as it takes one alone
        form.model = copy.deepcopy(network.model)
    if size is None:
        raise UserError('litert takes images of one size: give --size HEIGHT WIDTH')
    litert_torch.convert(_OneSize(form).eval(), sample_kwargs=dict(images=sample_image(*size))).export(str(file))
    return Graph(file, form.output_names, size, False, False), f'ai-edge-litert {version("ai-edge-litert")}'
