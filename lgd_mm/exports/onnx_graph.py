"""Graphs of ONNX: written with readable names, and run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch
from torch import Tensor
from torch.export import ExportedProgram

from lgd_mm.console.words import first_line
from lgd_mm.errors import UserError


def convert(program: ExportedProgram, inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, Sequence[str]],
            file: Path, about: Mapping[str, str], cure: str) -> None:
    """Write a graph as ONNX.

    Args:
        program (ExportedProgram): As torch traced it.
        inputs (Mapping[str, Sequence[str]]): Their names, and what their dimensions of any size are called.
        outputs (Mapping[str, Sequence[str]]): The same of the outputs.
        file (Path): Where to.
        about (Mapping[str, str]): Metadata.
        cure (str): Ends the sentence if it cannot be converted.

    Raises:
        UserError: If it cannot be converted.
    """
    try:
        torch.onnx.export(program, (), file, input_names=list(inputs), output_names=list(outputs), dynamo=True,
                          external_data=False, verbose=False)
    except torch.onnx.OnnxExporterError as error:
        raise UserError(f'torch.onnx cannot convert this student: {first_line(error.__cause__ or error)}: {cure}'
                        ) from error
    model = onnx.load(file)
    del model.graph.value_info[:]  # they say the sizes of the inside by the names that are replaced here
    for value, axes in zip([*model.graph.input, *model.graph.output], [*inputs.values(), *outputs.values()]):
        for dimension, name in zip(value.type.tensor_type.shape.dim, axes):
            if dimension.dim_param:
                dimension.dim_param = name or dimension.dim_param
    onnx.helper.set_model_props(model, dict(about))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, file)


def opened(file: Path) -> Any:
    """A graph in onnxruntime, with as many threads as PyTorch has."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()  # as many as the latency in PyTorch is measured with
    return onnxruntime.InferenceSession(file, options, providers=['CPUExecutionProvider'])


def run(session: Any, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The outputs of a graph by their names."""
    outputs = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    return {output.name: torch.from_numpy(value) for output, value in zip(session.get_outputs(), outputs)}
