"""Draws ``docs/floors.svg``: the rooms of the package, each above all that it imports.

A room is a package or module directly below ``lgd_mm``. Run this again after a change of the imports.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Sizes in pixels.
WIDTH, HEIGHT, GAP, ROW = 200, 46, 10, 6
SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">
<rect width="100%" height="100%" fill="#ffffff"/>
{boxes}
</svg>
"""
BOX = """<g transform="translate({x},{y})"><title>{about}</title>
<rect width="{width}" height="{height}" rx="6" fill="#eef3fa" stroke="#5b7aa8"/>
<text x="{middle}" y="19" text-anchor="middle" font-size="14" font-weight="bold">{name}</text>
<text x="{middle}" y="36" text-anchor="middle" font-size="9" fill="#445">{short}</text></g>"""


def modules() -> dict[str, Path]:
    """The package's modules by their dotted names."""
    paths = sorted((ROOT / 'lgd_mm').rglob('*.py'))
    names = ('.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__') for path in paths)
    return dict(zip(names, paths))


@cache
def file_imports() -> dict[str, set[str]]:
    """Which module imports which, also within functions; what only type checkers import is left out."""
    known = modules()
    return {name: {found for found in _imported(ast.parse(path.read_text(encoding='utf-8')), known) if found != name}
            for name, path in known.items()}


def _imported(node: ast.AST, known: Mapping[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING':
        return
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names if name.name in known)
    elif isinstance(node, ast.ImportFrom):
        for name in node.names:
            inner = f'{node.module}.{name.name}'
            if inner in known or node.module in known:
                yield inner if inner in known else str(node.module)
    for child in ast.iter_child_nodes(node):
        yield from _imported(child, known)


def room_imports() -> dict[str, set[str]]:
    """Which room imports which; the package itself is the one that is called ``lgd_mm``."""
    rooms: dict[str, set[str]] = {}
    for name, imported in file_imports().items():
        room = _room(name)
        rooms.setdefault(room, set()).update(_room(other) for other in imported if _room(other) != room)
    return rooms


def _room(module: str) -> str:
    return module.split('.')[1] if '.' in module else module


def floors(imports: Mapping[str, set[str]]) -> dict[str, int]:
    """The floor of each room, the ground is 0.

    Raises:
        graphlib.CycleError: If rooms import each other in a circle.
    """
    levels: dict[str, int] = {}
    for room in TopologicalSorter(imports).static_order():
        levels[room] = 1 + max((levels[other] for other in imports.get(room, ())), default=-1)
    return levels


def picture() -> str:
    """The floors as SVG, the ground at the bottom."""
    levels = floors(room_imports())
    boxes, y = [], GAP
    for level in sorted(set(levels.values()), reverse=True):
        rooms = sorted(room for room in levels if levels[room] == level)
        for start in range(0, len(rooms), ROW):
            for place, room in enumerate(rooms[start:start + ROW]):
                about = _about(room)
                short = about if len(about) <= 38 else f'{about[:36].rsplit(" ", 1)[0]} ...'
                boxes.append(BOX.format(x=GAP + place * (WIDTH + GAP), y=y, about=escape(about), width=WIDTH,
                                        height=HEIGHT, middle=WIDTH // 2, name=room, short=escape(short)))
            y += HEIGHT + GAP
    return SVG.format(width=GAP + ROW * (WIDTH + GAP), height=y, boxes='\n'.join(boxes))


def _about(room: str) -> str:
    """The first sentence of a room's docstring."""
    path = modules()['lgd_mm' if room == 'lgd_mm' else f'lgd_mm.{room}']
    return (ast.get_docstring(ast.parse(path.read_text(encoding='utf-8'))) or '').split('\n\n')[0].replace('\n', ' ')


if __name__ == '__main__':
    (ROOT / 'docs/floors.svg').write_text(picture(), encoding='utf-8')
