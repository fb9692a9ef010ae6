"""Reads the config that mmengine keeps in a checkpoint, without running it, and writes one that runs nothing."""

import ast
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import too_long


def parse_config(text: str) -> dict[str, Any]:
    """Turn a dumped config into a dict.

    ``mmengine.Config.fromstring`` would execute the text. A dump is a list of assignments of plain values and
    ``dict(...)`` calls, which this function evaluates itself; anything else is left out.

    Args:
        text (str): As written by ``mmengine.Config.pretty_text``.

    Returns:
        dict[str, Any]: The assignments that hold plain values; empty if the text is no Python.
    """
    values = {}
    for statement in _statements(text):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                values[statement.targets[0].id] = _value(statement.value)
            except (ValueError, TypeError, RecursionError):  # of no literal, no key, or too deep a nesting
                continue
    return values


def data_of(text: str) -> dict[str, Any]:
    """As :func:`parse_config`, of a text that is data and nothing else.

    Raises:
        UserError: If there is anything that would have to be run; names the line.
    """
    values = parse_config(text)
    for statement in _statements(text) or ([None] if text.strip() else []):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if not isinstance(target, ast.Name) or target.id not in values or target.id == '_base_':
            line = f'line {statement.lineno}' if statement else 'it is no Python'
            raise UserError(f'the text of a config is not plain data ({line}) and is not run: give a file that you '
                            'have read to Config.fromfile')
    return values


def _statements(text: str) -> list[Any]:
    """Of a text; none if it is no Python, or longer than any config."""
    if too_long(text):
        return []
    try:
        return list(ast.parse(text).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _value(node: ast.expr) -> Any:
    """Value of a literal, or of a container or ``dict(...)`` call of literals."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict' and not node.args:
        return {keyword.arg: _value(keyword.value) for keyword in node.keywords if keyword.arg}
    if isinstance(node, ast.Call) and ast.unparse(node.func) == 'dict' \
            and len(node.args) == 1 and isinstance(node.args[0], ast.Dict) and not node.keywords:
        node = node.args[0]  # of keys that are no identifiers, a dump makes dict({...})
    if isinstance(node, ast.Dict):
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values) if key is not None}
    if isinstance(node, ast.List):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(item) for item in node.elts)
    return ast.literal_eval(node)


def write_config(cfg: Config, file: str | Path) -> None:
    """Write a config whose values may have come from a file, so that what is read again is what was written.

    Whoever reads a config runs it: a key or a value that would end its own quotation, or that a config takes for a
    variable, is not written.

    Args:
        cfg (Config): Of plain data.
        file (str | Path): A ``.py`` file.

    Raises:
        UserError: If the text would say something else than the config does.
    """
    try:
        text = cfg.pretty_text
    except SyntaxError:  # mmengine formats what it has put together
        text = ''
    if '{{' in text or parse_config(text) != cfg.to_dict():
        raise UserError(f'{Path(file).name} cannot be written: a setting has a name, or braces, that would be taken '
                        'for code; see the file or the options that it comes from')
    Path(file).write_text(text, encoding='utf-8')
