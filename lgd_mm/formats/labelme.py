"""LabelMe's JSON, one file for each image (https://github.com/wkentaro/labelme)."""

import base64
import binascii
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from lgd_mm.console.printable import shown
from lgd_mm.errors import DataError
from lgd_mm.formats.ellipse import ellipse
from lgd_mm.formats.image_files import sizes_as_read
from lgd_mm.formats.image_index import ImageIndex, files_below, unannotated
from lgd_mm.formats.labelled_set import DETECTION, LabelledImage, LabelledObject, LabelledSet
from lgd_mm.formats.notes import Notes
from lgd_mm.formats.objects import NO_OBJECT, Objects
from lgd_mm.formats.part_names import part_of
from lgd_mm.formats.run_lengths import encoded, is_drawable, placed
from lgd_mm.formats.splits import settle_splits
from lgd_mm.io.images import open_image
from lgd_mm.io.texts import read_json
from lgd_mm.own_data.check_annotations import is_number

SHAPE = 'a shape has points [x, y] in pixels of its image'
#: Bytes of a file, which may hold its image as text.
LARGEST = 2**28
#: Labels of shapes that are not to be learned.
IGNORED = ('__ignore__', '_ignore_')


def read(root: Path, share: float) -> LabelledSet:
    """Read a set.

    Args:
        root (Path): Its folder, with a JSON file for each image; folders ``train``, ``val`` say which part each is of.
        share (float): For ``'val'``, if there is none.

    Returns:
        LabelledSet: Classes in the order of their names.

    Raises:
        UserError: If a file cannot be read, a shape cannot be used, or there is nothing to train with.
    """
    notes = Notes()
    index, objects = ImageIndex(root, notes), Objects(notes, SHAPE)
    files = {path: _content(path) for path in files_below(root, ('.json',))}
    names = {str(shape['label']).strip() for content in files.values() for shape in content['shapes']}
    classes = tuple(sorted(names - set(IGNORED)))
    if not classes:
        raise DataError(f'{root}: the JSON files have no shapes: there is nothing to learn')
    labels = {name: label for label, name in enumerate(classes)}
    images = {path: _image(path, content, index) for path, content in files.items()}
    known: dict[Path, tuple[Any, Any]] = {
        path: (content.get('imageWidth'), content.get('imageHeight')) for path, content in files.items()}
    lacking = {image for path, image in images.items() if image and not (
        all(map(is_number, known[path])) and is_drawable(*known[path]))}
    sizes = sizes_as_read(sorted(lacking), root, notes, 'LabelMe')
    found: dict[str | None, list[LabelledImage]] = {}
    for path, content in files.items():
        image = images[path]
        if image is None or image in lacking and image not in sizes:
            continue
        size: Any = sizes[image][:2] if image in sizes else known[path]
        width, height = int(size[0]), int(size[1])
        items = tuple(_objects(path, content['shapes'], (width, height), labels, objects))
        if not items:
            notes.add(NO_OBJECT, image.relative_to(index.root))
        folders = (*path.relative_to(root).parts[:-1], *image.relative_to(index.root).parts[:-1])
        part = part_of(folders)
        found.setdefault(part, []).append(LabelledImage(image, width, height, items))
    objects.end(root)
    for left in unannotated(index, filter(None, images.values())):
        notes.add('images have no JSON file and are left out', left.relative_to(index.root))
    return LabelledSet(root, 'labelme', DETECTION, classes, settle_splits(found, share, notes, root), notes)


def _content(path: Path) -> Mapping[str, Any]:
    content = read_json(path, limit=LARGEST)
    shapes = content.get('shapes') if isinstance(content, dict) else None
    if not isinstance(shapes, list) or not all(
            isinstance(shape, dict) and isinstance(shape.get('points'), list) and isinstance(shape.get('label'), str)
            and shape['label'].strip() for shape in shapes):
        raise DataError(f'{path} is no file of LabelMe: it has no "shapes", each with "label" and "points"')
    content.pop('imageData', None)  # the image once more
    return content


def _image(path: Path, content: Mapping[str, Any], index: ImageIndex) -> Path | None:
    name = content.get('imagePath')
    if not isinstance(name, str) or not name:
        name = path.stem
    plain = PureWindowsPath(name)
    there = Path(os.path.normpath(path.parent / plain.as_posix()))
    if '..' in plain.parts and not there.is_relative_to(index.root) and os.path.isfile(path.parent / plain.name):
        index.notes.add('images are named by a folder outside the set, and found beside their JSON files', name)
        name = plain.name
    return index.find(name, str(path), [path.parent])


def _objects(path: Path, shapes: list[dict[str, Any]], size: tuple[int, int], labels: Mapping[str, int],
             objects: Objects) -> Iterator[LabelledObject]:
    """Shapes of one label and one group are one object of several parts."""
    groups: dict[Any, list[list[float]]] = {}
    for number, shape in enumerate(shapes, 1):
        where, name = f'{path.name}, shape {number}', shape['label'].strip()
        if name in IGNORED:
            objects.notes.add(f'shapes are called {name} and are dropped', where)
            continue
        points = [[*map(float, point)] for point in shape['points'] if _is_point(point)]
        if len(points) < len(shape['points']):
            raise DataError(f'{where} has a point that is not two finite numbers: {SHAPE}')
        kind = shape.get('shape_type') or 'polygon'
        outline: list[float] | None = None
        taken = None
        if kind == 'rectangle' and len(points) >= 2:
            xs, ys = zip(*points)
            taken = objects.take(where, labels[name], (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)), size)
        elif kind == 'polygon':
            outline = [value for point in points for value in point]
        elif kind == 'circle' and len(points) == 2:
            outline = _circle(*points)
        elif kind == 'mask' and points:
            taken = _mask(shape, where, labels[name], points[0], size, objects)
        else:
            objects.notes.add(f'shapes are of the kind {shown(kind)}, which stands for no area, and are dropped', where)
        if outline is not None:
            group = shape.get('group_id')
            groups.setdefault((name, number if group is None else f'group {group}', where if group is None else ''),
                              []).append(outline)
        if taken:
            yield taken
    for (name, number, _), polygons in groups.items():
        one = objects.outline(f'{path.name}, {number if isinstance(number, str) else f"shape {number}"}', labels[name],
                              polygons, size)
        if one:
            yield one


def _circle(middle: list[float], edge: list[float]) -> list[float]:
    radius = math.dist(middle, edge)
    x, y = middle
    return [value for point in ellipse(x, y, radius, radius) for value in point]


def _mask(shape: Mapping[str, Any], where: str, label: int, corner: list[float], size: tuple[int, int],
          objects: Objects) -> LabelledObject | None:
    """A PNG of the part of the image between two points."""
    try:
        with open_image(base64.b64decode(str(shape.get('mask')), validate=True)) as image:
            inner = np.asarray(image.convert('L') if image.mode not in ('1', 'L') else image)
    except (OSError, ValueError, binascii.Error, SyntaxError) as error:
        raise DataError(f'{where} has a mask that cannot be decoded ({error}): draw it again') from error
    found = encoded(placed(inner, round(corner[0]), round(corner[1]), *size))
    return objects.pixels(where, label, found, size)


def _is_point(point: Any) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(map(is_number, point))


