"""An ONNX graph with weights of eight bits."""

from collections.abc import Callable, Mapping
from pathlib import Path

import onnx
import torch.nn.functional as F
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor

from lgd_mm.errors import UserError

#: Least cosine of the quantised student's embedding (or pooled features) with the student's own.
LEAST_COSINE = 0.95


def quantise(source: Path, out: Path, expected: Mapping[str, Tensor],
             run: Callable[[Path], Mapping[str, Tensor]]) -> str:
    """Quantise the weights beforehand and the activations as they come.

    The first convolution and the depthwise ones stay float32: they have few weights, lose the most by eight bits and
    gain no time from them.

    Args:
        source (Path): The float32 graph.
        out (Path): File to write.
        expected (Mapping[str, Tensor]): The student's own outputs for an image.
        run (Callable[[Path], Mapping[str, Tensor]]): Those of a graph for the same image.

    Returns:
        str: What was written and how near it is, in a sentence.

    Raises:
        UserError: If it is too far from the student.
    """
    convolutions = [node for node in onnx.load(source).graph.node if node.op_type == 'Conv']
    kept = convolutions[:1] + [node for node in convolutions if _groups(node) > 1]
    # Weights without a sign: onnxruntime's convolution of integers takes no others on a CPU.
    quantize_dynamic(source, out, weight_type=QuantType.QUInt8, nodes_to_exclude=[node.name for node in kept])
    key = 'embedding' if 'embedding' in expected else 'pooled'
    cosine = F.cosine_similarity(expected[key], run(out)[key]).min().item()
    if not cosine >= LEAST_COSINE:
        raise UserError(f'int8 changes this student too much (cosine of its {key} with the float32 ones: {cosine:.3f}, '
                        f'at least {LEAST_COSINE} is asked for): leave int8 out')
    return (f'{out.name}: {out.stat().st_size / 1e6:.1f} MB instead of {source.stat().st_size / 1e6:.1f}; cosine of '
            f'its {key} with the student\'s own: {cosine:.4f}.')


def _groups(node: onnx.NodeProto) -> int:
    return next((int(attribute.i) for attribute in node.attribute if attribute.name == 'group'), 1)
