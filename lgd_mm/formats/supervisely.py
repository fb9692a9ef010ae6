"""Supervisely's JSON, one file for each image (https://docs.supervisely.com/data-organization/00_ann_format_navi)."""

import base64
import binascii
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lgd_mm.console.printable import shown
from lgd_mm.console.words import some
from lgd_mm.errors import DataError
from lgd_mm.formats.image_index import ImageIndex, unannotated
from lgd_mm.formats.labelled_set import DETECTION, LabelledImage, LabelledObject, LabelledSet
from lgd_mm.formats.notes import Notes
from lgd_mm.formats.objects import NO_OBJECT, Objects
from lgd_mm.formats.part_names import part_of
from lgd_mm.formats.run_lengths import drawn, encoded, is_drawable, placed
from lgd_mm.formats.splits import settle_splits
from lgd_mm.io.images import open_image
from lgd_mm.io.texts import read_json
from lgd_mm.own_data.check_annotations import FEWEST_COORDINATES, is_number

SHAPE = 'a rectangle is two points [x, y] in pixels of its image'
#: Bytes of a mask's PNG.
LARGEST = 2**26


def read(root: Path, share: float) -> LabelledSet:
    """Read a project.

    Args:
        root (Path): Its folder, with ``meta.json`` and data sets, each of the folders ``ann`` and ``img``; their names,
            or tags of the images, say which part each is of.
        share (float): For ``'val'``, if there is none.

    Returns:
        LabelledSet: Classes in the order of ``meta.json``.

    Raises:
        UserError: If a file cannot be read, a class is unknown, or there is nothing to train with.
    """
    notes = Notes()
    labels = _classes(root / 'meta.json')
    index, objects = ImageIndex(root, notes), Objects(notes, SHAPE)
    found: dict[str | None, list[LabelledImage]] = {}
    files = sorted(path for folder in root.rglob('ann') if folder.is_dir() for path in folder.glob('*.json'))
    for path in files:
        content = read_json(path)
        size = _size(path, content)
        name = path.name.removesuffix('.json')
        image = index.find(name, str(path), [path.parent.parent / 'img'])
        if image is None:
            continue
        items = tuple(_objects(path, content['objects'], size, labels, objects))
        if not items:
            notes.add(NO_OBJECT, image.relative_to(index.root))
        tags = content.get('tags')
        named = [str(tag.get('name')) for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
        words = (*named, *path.relative_to(root).parts[:-2])
        found.setdefault(part_of(words), []).append(LabelledImage(image, *size, items))
    objects.end(root)
    for left in unannotated(index, (image.path for images in found.values() for image in images)):
        notes.add('images have no JSON file and are left out', left.relative_to(index.root))
    return LabelledSet(root, 'supervisely', DETECTION, tuple(labels), settle_splits(found, share, notes, root), notes)


def _classes(path: Path) -> dict[str, int]:
    content = read_json(path)
    classes = content.get('classes') if isinstance(content, dict) else None
    if not isinstance(classes, list) or not classes or not all(
            isinstance(each, dict) and isinstance(each.get('title'), str) for each in classes):
        raise DataError(f'{path} has no "classes", each with its "title": export the project from Supervisely again')
    names = dict.fromkeys(each['title'].strip() for each in classes)
    return {name: label for label, name in enumerate(names)}


def _size(path: Path, content: Any) -> tuple[int, int]:
    size = content.get('size') if isinstance(content, dict) else None
    sides: list[Any] = [size.get('width'), size.get('height')] if isinstance(size, dict) else [None, None]
    if not all(map(is_number, sides)) or not isinstance(content.get('objects'), list):
        raise DataError(f'{path} is no annotation of Supervisely: it has no "size" of width and height, or no '
                        '"objects"')
    if not is_drawable(*sides):
        raise DataError(f'{path} has a width of {sides[0]:g} and a height of {sides[1]:g}: correct them')
    return int(sides[0]), int(sides[1])


def _objects(path: Path, items: list[Any], size: tuple[int, int], labels: Mapping[str, int], objects: Objects
             ) -> Iterator[LabelledObject]:
    for number, item in enumerate(items, 1):
        where = f'{path.name}, object {number}'
        if not isinstance(item, dict):
            raise DataError(f'{where} of {path} is {shown(item)}, which is no object: export it again')
        name = str(item.get('classTitle')).strip()
        if name not in labels:
            raise DataError(f'{path}: object {number} is of the class {shown(name)}, which meta.json does not have '
                            f'({some(list(labels))}): export it again')
        kind = item.get('geometryType')
        if kind == 'bitmap':
            taken = _bitmap(item, where, labels[name], size, objects)
        elif kind in ('polygon', 'rectangle'):
            taken = _points(item, where, labels[name], size, objects, kind == 'polygon')
        else:
            objects.notes.add(f'objects are of the kind {shown(kind)}, which stands for no area, and are dropped',
                              where)
            continue
        if taken:
            yield taken


def _points(item: Mapping[str, Any], where: str, label: int, size: tuple[int, int], objects: Objects, polygon: bool
            ) -> LabelledObject | None:
    points = item.get('points')
    parts = [points.get(key) or [] for key in ('exterior', 'interior')] if isinstance(points, dict) else [[], []]
    if not isinstance(parts[1], list):
        raise DataError(f'{where} has the interior {shown(parts[1])}, which is no list of holes: export it again')
    outside, holes = _flat(parts[0], where), [_flat(part, where) for part in parts[1]]
    if polygon and not any(holes):
        return objects.outline(where, label, [outside], size)
    if polygon:
        whole = [hole for hole in holes if len(hole) >= FEWEST_COORDINATES]
        found = encoded(drawn([outside], whole, *size)) if len(outside) >= FEWEST_COORDINATES else None
        return objects.pixels(where, label, found, size)
    if len(outside) != 4:
        raise DataError(f'{where} has {len(outside) // 2} points: {SHAPE}')
    xs, ys = sorted(outside[::2]), sorted(outside[1::2])
    # both corners are pixels of the rectangle
    return objects.take(where, label, (xs[0], ys[0], xs[1] - xs[0] + 1, ys[1] - ys[0] + 1), size)


def _flat(points: Any, where: str) -> list[float]:
    if not isinstance(points, list) or not all(
            isinstance(point, list) and len(point) == 2 and all(map(is_number, point)) for point in points):
        raise DataError(f'{where} has a point that is not two finite numbers: export it again')
    return [float(value) for point in points for value in point]


def _bitmap(item: Mapping[str, Any], where: str, label: int, size: tuple[int, int], objects: Objects
            ) -> LabelledObject | None:
    """A PNG, packed twice, of the part of the image from a corner."""
    bitmap = item.get('bitmap')
    origin = bitmap.get('origin') if isinstance(bitmap, dict) else None
    if not isinstance(bitmap, dict) or not isinstance(origin, list) or len(origin) != 2 or not all(
            map(is_number, origin)):
        raise DataError(f'{where} has no bitmap with its origin: export it again')
    try:
        unpacked = zlib.decompressobj().decompress(base64.b64decode(str(bitmap.get('data')), validate=True), LARGEST)
        with open_image(unpacked) as image:
            bands = image.getbands()
            channel = image.getchannel('A') if 'A' in bands else image.convert('L') if len(bands) > 1 else image
            inner = np.asarray(channel)
    except (OSError, ValueError, SyntaxError, binascii.Error, zlib.error) as error:
        raise DataError(f'{where} has a bitmap that cannot be decoded ({error}): export it again') from error
    found = encoded(placed(inner, int(origin[0]), int(origin[1]), *size))
    return objects.pixels(where, label, found, size)
