"""CVAT's XML "for images 1.1" (https://docs.cvat.ai/docs/manual/advanced/xml_format/)."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from lgd_mm.console.printable import shown
from lgd_mm.console.words import some
from lgd_mm.errors import DataError
from lgd_mm.formats.ellipse import ellipse
from lgd_mm.formats.image_index import ImageIndex, files_below, unannotated
from lgd_mm.formats.labelled_set import CLASSIFICATION, DETECTION, LabelledImage, LabelledObject, LabelledSet
from lgd_mm.formats.notes import Notes
from lgd_mm.formats.objects import NO_OBJECT, Objects
from lgd_mm.formats.part_names import part_of
from lgd_mm.formats.run_lengths import encoded, is_drawable, placed
from lgd_mm.formats.splits import settle_splits
from lgd_mm.formats.xml_file import Element, number, read_xml

SHAPE = 'a box is xtl, ytl, xbr, ybr in pixels of its image'


def read(root: Path, share: float) -> LabelledSet:
    """Read a set.

    Args:
        root (Path): Its folder, with ``annotations.xml``, or one such file for each part, and the images.
        share (float): For ``'val'``, if there is none.

    Returns:
        LabelledSet: For detection; for classification if there are only tags.

    Raises:
        UserError: If a file cannot be read, a label is unknown, or there is nothing to train with.
    """
    notes = Notes()
    trees = {path: read_xml(path, 'annotations') for path in files_below(root, ('.xml',))}
    names = dict.fromkeys(name.strip() for tree in trees.values() for node in tree.iterfind('.//labels/label')
                          if (name := node.findtext('name')) and not node.findtext('parent'))  # of a skeleton
    for path, tree in trees.items():
        if tree.find('track') is not None:
            raise DataError(f'{path} is of a video, with tracks: export it as "CVAT for images 1.1"')
        if not names:
            raise DataError(f'{path} lists no labels: export it from CVAT again, as "CVAT for images 1.1"')
    labels = {name: label for label, name in enumerate(names)}
    index, objects = ImageIndex(root, notes), Objects(notes, SHAPE)
    nodes = [(path, node) for path, tree in trees.items() for node in tree.iter('image')]
    tags = any(node.find('tag') is not None for _, node in nodes)
    by_tag = tags and not any(node.find(shape) is not None for _, node in nodes for shape in SHAPES)
    found: dict[str | None, list[LabelledImage]] = {}
    for path, node in nodes:
        image = _image(path, node, labels, index, objects, by_tag)
        if image:
            folders = (node.get('subset') or '', *image.path.relative_to(index.root).parts[:-1], path.stem)
            found.setdefault(part_of(folders), []).append(image)
    objects.end(root)
    if tags and not by_tag:
        notes.say('images have tags beside shapes: the tags are not read')
    for left in unannotated(index, (image.path for images in found.values() for image in images)):
        notes.add('images are in no XML file and are left out', left.relative_to(index.root))
    return LabelledSet(root, 'cvat', CLASSIFICATION if by_tag else DETECTION, tuple(labels),
                       settle_splits(found, share, notes, root), notes)


def _image(path: Path, node: Element, labels: Mapping[str, int], index: ImageIndex, objects: Objects, by_tag: bool
           ) -> LabelledImage | None:
    name = node.get('name') or ''
    if not name:
        raise DataError(f'{path} has an <image> without a name: export it again')
    width, height = (number(node.get(side), f'{path}: {side} of {shown(name)}') for side in ('width', 'height'))
    subset = node.get('subset') or ''
    near = [folder for base in (path.parent / 'images', path.parent) for folder in (base / subset, base)]
    file = index.find(name, str(path), near)
    if file is None:
        return None
    if not is_drawable(width, height):
        raise DataError(f'{path}: {shown(name)} has a width of {width:g} and a height of {height:g}: correct them')
    if by_tag:
        tags = {_label(tag, path, name, labels) for tag in node.findall('tag')}
        if len(tags) != 1:
            objects.notes.add(f'images have {"several tags" if tags else "no tag"} and are dropped', name)
            return None
        return LabelledImage(file, int(width), int(height), label=tags.pop())
    items = tuple(_objects(path, node, name, (int(width), int(height)), labels, objects))
    if not items:
        objects.notes.add(NO_OBJECT, name)
    return LabelledImage(file, int(width), int(height), items)


def _objects(path: Path, node: Element, image: str, size: tuple[int, int], labels: Mapping[str, int], objects: Objects
             ) -> Iterator[LabelledObject]:
    for shape in node:
        where = f'{path.name}, {shape.tag} in {image}'
        if shape.tag == 'tag':
            continue
        if shape.tag not in SHAPES:
            objects.notes.add(f'shapes are of the kind {shown(shape.tag)}, which stands for no area, and are dropped',
                              image)
            continue
        label = _label(shape, path, image, labels)
        taken = SHAPES[shape.tag](shape, where, label, size, objects)
        if taken:
            yield taken


def _label(shape: Element, path: Path, image: str, labels: Mapping[str, int]) -> int:
    name = (shape.get('label') or '').strip()
    if name not in labels:
        raise DataError(f'{path}: a {shape.tag} in {shown(image)} has the label {shown(name)}, which is not among its '
                        f'labels ({some(list(labels))}): export it again')
    return labels[name]


def _numbers(shape: Element, where: str, *keys: str) -> list[float]:
    return [number(shape.get(key), f'{where}: {key}') for key in keys]


def _box(shape: Element, where: str, label: int, size: tuple[int, int], objects: Objects) -> LabelledObject | None:
    left, top, right, bottom = _numbers(shape, where, 'xtl', 'ytl', 'xbr', 'ybr')
    angle = math.radians(number(shape.get('rotation') or '0', f'{where}: rotation'))
    if not angle:
        return objects.take(where, label, (left, top, right - left, bottom - top), size)
    objects.notes.add('boxes are rotated, and taken for what holds them', where)
    corners = _turned([(left, top), (right, top), (right, bottom), (left, bottom)], angle)
    return objects.outline(where, label, [corners], size)


def _polygon(shape: Element, where: str, label: int, size: tuple[int, int], objects: Objects) -> LabelledObject | None:
    points = [part for pair in (shape.get('points') or '').split(';') for part in pair.split(',')]
    return objects.outline(where, label, [[number(part, f'{where}: points') for part in points]], size)


def _ellipse(shape: Element, where: str, label: int, size: tuple[int, int], objects: Objects) -> LabelledObject | None:
    points = ellipse(*_numbers(shape, where, 'cx', 'cy', 'rx', 'ry'))
    angle = math.radians(number(shape.get('rotation') or '0', f'{where}: rotation'))
    return objects.outline(where, label, [_turned(points, angle)], size)


def _mask(shape: Element, where: str, label: int, size: tuple[int, int], objects: Objects) -> LabelledObject | None:
    """Run lengths of rows, of background first, within a frame."""
    left, top, width, height = map(int, _numbers(shape, where, 'left', 'top', 'width', 'height'))
    runs = [int(number(run, f'{where}: rle')) for run in (shape.get('rle') or '').split(',')]
    if not is_drawable(width, height) or min(runs) < 0 or sum(runs) != width * height:
        raise DataError(f'{where} has run lengths that do not cover its frame of {width} x {height}: export it again')
    inner = np.repeat(np.arange(len(runs)) % 2, runs).reshape(height, width)
    found = encoded(placed(inner, left, top, *size))
    return objects.pixels(where, label, found, size)


def _turned(points: list[tuple[float, float]], angle: float) -> list[float]:
    """Points turned clockwise, as an image shows it, around their middle."""
    middle = [(min(values) + max(values)) / 2 for values in zip(*points)]
    cos, sin = math.cos(angle), math.sin(angle)
    return [value for x, y in points
            for value in (middle[0] + (x - middle[0]) * cos - (y - middle[1]) * sin,
                          middle[1] + (x - middle[0]) * sin + (y - middle[1]) * cos)]


#: Shapes that stand for an area.
SHAPES = dict(box=_box, polygon=_polygon, ellipse=_ellipse, mask=_mask)
