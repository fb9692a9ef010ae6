"""Pascal VOC's XML, one file for each image, as many tools write it
(http://host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf, section 3)."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

from lgd_mm.console.printable import shown
from lgd_mm.errors import DataError
from lgd_mm.formats.image_files import sizes_as_read
from lgd_mm.formats.image_index import ImageIndex, files_below, unannotated
from lgd_mm.formats.labelled_set import DETECTION, LabelledImage, LabelledObject, LabelledSet
from lgd_mm.formats.notes import Notes
from lgd_mm.formats.objects import NO_OBJECT, Objects
from lgd_mm.formats.part_names import TEST, TRAIN, VAL, part_of
from lgd_mm.formats.run_lengths import is_drawable
from lgd_mm.formats.splits import settle_splits
from lgd_mm.formats.xml_file import Element, number, read_xml
from lgd_mm.io.texts import read_text
from lgd_mm.preparation.voc import DIFFICULT

SHAPE = 'a box is <xmin>, <ymin>, <xmax>, <ymax> in pixels of its image'
SIDES = ('xmin', 'ymin', 'xmax', 'ymax')


class _Box(NamedTuple):
    where: str
    name: str
    sides: list[float]
    difficult: bool


class _Annotated(NamedTuple):
    image: Path
    size: tuple[float, float]
    boxes: list[_Box]


def read(root: Path, share: float) -> LabelledSet:
    """Read a set.

    Args:
        root (Path): Its folder. XML files lie in ``Annotations`` and images in ``JPEGImages``, or both together;
            ``ImageSets/Main/{train,val,test}.txt`` say which part each is of, or folders do.
        share (float): For ``'val'``, if there is none.

    Returns:
        LabelledSet: Classes in the order of their names.

    Raises:
        UserError: If a file cannot be read, an object cannot be used, or there is nothing to train with.
    """
    notes = Notes()
    index, objects = ImageIndex(root, notes), Objects(notes, SHAPE)
    files = files_below(root, ('.xml',))
    found = {path: item for path in files if (item := _read(path, index))}
    unknown = [item.image for item in found.values() if not is_drawable(*item.size)]
    sizes = sizes_as_read(unknown, root, notes, 'its XML file')
    items = [box for item in found.values() for box in item.boxes]
    classes = tuple(sorted({box.name for box in items}))
    first = 1
    if any(min(box.sides[:2]) < 1 for box in items):
        first = 0
        notes.say('some boxes begin at 0: pixels are counted from 0, and not from 1 as in VOC itself')
    images: dict[Path, LabelledImage] = {}
    for path, item in found.items():
        size = item.size if is_drawable(*item.size) else sizes[item.image][:2] if item.image in sizes else None
        if size is None:
            continue
        taken = [_taken(box, classes.index(box.name), size, first, objects) for box in item.boxes]
        kept = tuple(each for each in taken if each)
        if not kept:
            notes.add(NO_OBJECT, item.image.relative_to(index.root))
        images[path] = LabelledImage(item.image, int(size[0]), int(size[1]), kept)
    objects.end(root)
    if not classes:
        raise DataError(f'{root}: the XML files describe no object: there is nothing to learn')
    for image in unannotated(index, (item.image for item in found.values())):
        notes.add('images have no XML file and are left out', image.relative_to(index.root))
    return LabelledSet(root, 'voc', DETECTION, classes, settle_splits(_parts(root, images, notes), share, notes, root),
                       notes)


def _read(path: Path, index: ImageIndex) -> _Annotated | None:
    tree = read_xml(path, 'annotation')
    near = [path.parent.parent / 'JPEGImages', path.parent.parent / 'images', path.parent]
    stem = f'{path.parent.relative_to(index.root).as_posix()}/{path.stem}'
    named = (tree.findtext('filename') or '').strip()
    # the file's own name comes first, as in VOC: many tools write the path of whoever drew the boxes
    name = stem if index.knows(path.stem) or not named else PureWindowsPath(named).name
    image = index.find(name, str(path), near)
    if image is None:
        return None
    size = tree.find('size')
    stated = (0., 0.) if size is None else (number(size.findtext('width'), f'{path}: <width>'),
                                            number(size.findtext('height'), f'{path}: <height>'))
    boxes = []
    for node in tree.findall('object'):
        if node.find('bndbox') is None and node.find('robndbox') is not None:
            index.notes.add('boxes are rotated and are dropped', path.name)
        else:
            boxes.append(_box(path, node))
    return _Annotated(image, stated, boxes)


def _box(path: Path, node: Element) -> _Box:
    name, frame = (node.findtext('name') or '').strip(), node.find('bndbox')
    if not name or frame is None:
        raise DataError(f'{path} has an object without <{"bndbox" if name else "name"}>: correct it')
    difficult = (node.findtext('difficult') or '0').strip().lower()
    if difficult not in DIFFICULT:
        raise DataError(f'{path}: <difficult> of {shown(name)} is {shown(difficult)} and should be 0 or 1: correct it')
    sides = [number(frame.findtext(side), f'{path}: <{side}>') for side in SIDES]
    return _Box(f'{path.name}, {name}', name, sides, DIFFICULT[difficult])


def _taken(box: _Box, label: int, size: tuple[float, float], first: int, objects: Objects) -> LabelledObject | None:
    """VOC counts pixels from 1, and the last one is within a box; others measure from the image's corner."""
    left, top, right, bottom = box.sides
    return objects.take(box.where, label, (left - first, top - first, right - left + first, bottom - top + first), size,
                        crowd=box.difficult)


def _parts(root: Path, images: Mapping[Path, LabelledImage], notes: Notes) -> dict[str | None, Sequence[LabelledImage]]:
    """By the lists of VOC, or else by the names of folders."""
    lists = [path for path in sorted(root.rglob('ImageSets/Main/*.txt')) if path.stem in (TRAIN, VAL, TEST)]
    parts: dict[str | None, list[LabelledImage]] = {}
    if not lists:
        for path, image in images.items():
            folders = (*path.relative_to(root).parts[:-1], *image.path.relative_to(root).parts[:-1])
            parts.setdefault(part_of(folders), []).append(image)
        return dict(parts)
    by_name = {path.stem: image for path, image in images.items()}
    listed = set()
    for path in lists:  # perhaps of several years
        for line in filter(None, map(str.strip, read_text(path).splitlines())):
            name = next((name for name in (line, line.rsplit(maxsplit=1)[0], Path(line).stem) if name in by_name), None)
            if name is None:
                notes.add(f'lines of the lists in {path.parent.relative_to(root)} name no labelled image', line)
                continue
            listed.add(name)
            parts.setdefault(path.stem, []).append(by_name[name])
    for name in sorted(by_name.keys() - listed):
        notes.add('labelled images are in no list of ImageSets/Main and are left out', name)
    return dict(parts)
