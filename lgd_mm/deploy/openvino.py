"""A graph in OpenVINO's own form."""

from pathlib import Path

import openvino


def convert(graph: Path, out: Path) -> str:
    """Convert an ONNX file; the weights stay float32.

    Args:
        graph (Path): The ONNX file.
        out (Path): ``.xml`` to write, and a ``.bin`` beside it.

    Returns:
        str: The library and its version.
    """
    # Not by openvino.convert_model(): it does no more, and reports its use to its makers.
    openvino.save_model(openvino.Core().read_model(graph), out, compress_to_fp16=False)
    return f'openvino {openvino.__version__.split("-")[0]}'
