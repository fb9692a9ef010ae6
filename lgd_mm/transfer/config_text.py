"""Reads the config that mmengine keeps in a checkpoint, without running it."""

import ast
from typing import Any


def parse_config(text: str) -> dict[str, Any]:
    """Turn a dumped config into a dict.

    ``mmengine.Config.fromstring`` would execute the text. A dump is a list of assignments of plain values and
    ``dict(...)`` calls, which this function evaluates itself; anything else is left out.

    Args:
        text (str): As written by ``mmengine.Config.pretty_text``.

    Returns:
        dict[str, Any]: The assignments that hold plain values; empty if the text is no Python.
    """
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    values = {}
    for statement in module.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                values[statement.targets[0].id] = _value(statement.value)
            except ValueError:
                continue
    return values


def _value(node: ast.expr) -> Any:
    """Value of a literal, or of a container or ``dict(...)`` call of literals."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict' and not node.args:
        return {keyword.arg: _value(keyword.value) for keyword in node.keywords if keyword.arg}
    if isinstance(node, ast.Dict):
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values) if key is not None}
    if isinstance(node, ast.List):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(item) for item in node.elts)
    return ast.literal_eval(node)
