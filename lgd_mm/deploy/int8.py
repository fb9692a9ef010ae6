"""A graph with weights and activations of eight bits, by onnxruntime's static quantisation."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from lgd_mm.console.quiet import quietly
from lgd_mm.deploy.predict import Network, upright

#: Operators that are computed in eight bits.
QUANTISED = 'Conv', 'Gemm'
#: Names of the layers that say what is where: they stay float32, as the first convolution does.
LAST_LAYERS = ('rpn_cls', 'rpn_reg', 'fc_cls', 'fc_reg', 'conv_logits', 'retina_cls', 'retina_reg', 'atss_cls',
               'atss_reg', 'atss_centerness', 'rtm_cls', 'rtm_reg', 'conv_seg', 'head')


class _Images(CalibrationDataReader):
    """What the graph takes, of images one after the other."""

    def __init__(self, network: Network, takes: Sequence[str], files: Sequence[Path]) -> None:
        self.inputs: Iterator[dict[str, NDArray[Any]]] = (
            {name: value for name, value in network.inputs(upright(str(file))).items() if name in takes}
            for file in files)

    def get_next(self) -> dict[str, Any] | None:
        """The next image; None after the last."""
        return next(self.inputs, None)


def quantise(folder: Path, graph: str, out: str, files: Sequence[Path]) -> None:
    """Write a second graph beside the first.

    Weights are quantised by channel, activations by the range that they have on images. The first convolution, the
    last layers of the heads, and all that follows them stay float32.

    Args:
        folder (Path): Of the export.
        graph (str): Name of the graph in it.
        out (str): Name of the new one.
        files (Sequence[Path]): Images that the ranges are measured on.
    """
    network, ready = Network(str(folder), graph), folder / f'{out}.prepared'
    try:
        with quietly():
            quant_pre_process(str(folder / graph), str(ready), skip_symbolic_shape=True)
            model = onnx.load(ready)
            quantize_static(
                str(ready), str(folder / out),
                _Images(network, [each.name for each in model.graph.input], files), quant_format=QuantFormat.QDQ,
                op_types_to_quantize=list(QUANTISED), per_channel=True, weight_type=QuantType.QInt8,
                activation_type=QuantType.QUInt8, calibrate_method=CalibrationMethod.MinMax,
                nodes_to_exclude=kept_float(model))
    finally:
        ready.unlink(missing_ok=True)


def kept_float(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes that lose the most by eight bits.

    Args:
        model (onnx.ModelProto): With the names of torch's modules.
    """
    nodes = [node.name for node in model.graph.node if node.op_type in QUANTISED]
    last = [name for name in nodes if any(part.split('.')[0] in LAST_LAYERS for part in name.split('/'))]
    return [*nodes[:1], *(name for name in last if name not in nodes[:1])]
