"""The forms a whole network can take; a runtime is imported when it is asked for."""

import importlib.util
from typing import NamedTuple

from lgd_mm.errors import UserError


class WholeTarget(NamedTuple):
    """One form.

    Attributes:
        graph (str): Name of the file.
        needs (dict[str, str]): Modules it imports, and the names they are installed by.
        int8 (bool): Whether it can be written with weights and activations of 8 bits. Defaults to False.
    """

    graph: str
    needs: dict[str, str]
    int8: bool = False


#: Every target by its name.
WHOLE_TARGETS = {
    'onnx': WholeTarget('network.onnx', dict(onnx='onnx', onnxruntime='onnxruntime'), int8=True),
    'openvino': WholeTarget('network.xml', dict(onnx='onnx', onnxruntime='onnxruntime', openvino='openvino')),
    'litert': WholeTarget('network.tflite', dict(litert_torch='litert-torch', ai_edge_litert='ai-edge-litert')),
}


def check_installed(name: str) -> None:
    """See that the libraries of a target are there.

    Args:
        name (str): Of :data:`WHOLE_TARGETS`.

    Raises:
        UserError: If one is not.
    """
    missing = [package for module, package in WHOLE_TARGETS[name].needs.items()
               if importlib.util.find_spec(module) is None]
    if missing:
        raise UserError(f'export to {name} needs {" and ".join(missing)}, which {"is" if len(missing) == 1 else "are"} '
                        f'not installed: pip install {" ".join(missing)}')
