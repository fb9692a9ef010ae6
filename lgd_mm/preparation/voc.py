"""Pascal VOC's XML files, read strictly (http://host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf, section 3)."""

import os
import xml.etree.ElementTree as ElementTree  # nosec B405  # expat itself bounds what entities grow to
from dataclasses import dataclass
from pathlib import Path

from lgd_mm.console.printable import shortened, shown
from lgd_mm.datasets.image_size import image_size
from lgd_mm.errors import UserError
from lgd_mm.io.image_files import EXTENSIONS
from lgd_mm.io.images import open_image
from lgd_mm.io.named_file import name_fault
from lgd_mm.io.texts import read_text
from lgd_mm.preparation.links import refuse_outside
from lgd_mm.preparation.xml_text import read_xml_text

SPLITS = ('train', 'val')
SUFFIXES = (*EXTENSIONS, *(suffix.upper() for suffix in EXTENSIONS))
#: What stands behind a name in VOC's list of one class: whether the image shows it.
LABELS = ('-1', '0', '1')
DIFFICULT = {'0': False, 'false': False, 'no': False, 'unspecified': False, '1': True, 'true': True, 'yes': True}


@dataclass(frozen=True)
class VOCObject:
    """One object of an image.

    Args:
        name (str): Its category.
        box (tuple[float, float, float, float]): xmin, ymin, xmax, ymax in pixels that are counted from 1, all inside.
        difficult (bool): Whether it counts neither for nor against a detector.
    """

    name: str
    box: tuple[float, float, float, float]
    difficult: bool


@dataclass(frozen=True)
class VOCImage:
    """An image and its objects.

    Args:
        path (Path): File.
        width (int): Pixels.
        height (int): Pixels.
        objects (list[VOCObject]): In the order of the XML file.
    """

    path: Path
    width: int
    height: int
    objects: list[VOCObject]


def find_voc(root: Path) -> Path:
    """The folder with ``Annotations``, ``JPEGImages`` and ``ImageSets/Main``: the root, or one of a ``VOCdevkit``.

    Args:
        root (Path): What the user gave.

    Returns:
        Path: The folder.

    Raises:
        UserError: If there is none, or more than one.
    """
    if not root.is_dir():
        raise UserError(f'{root} is no folder: give the one with Annotations, JPEGImages and ImageSets')
    candidates = [root, *sorted(root.glob('VOC20*')), *sorted(root.glob('VOCdevkit/VOC20*'))]
    found = [folder for folder in candidates if (folder / 'Annotations').is_dir()]
    if not found:
        raise UserError(f'{root} has no folder Annotations: give the folder with Annotations, JPEGImages and ImageSets')
    if len(found) > 1:
        raise UserError(f'{root} holds {" and ".join(map(str, found))}: give one of them')
    for name in ('JPEGImages', *(f'ImageSets/Main/{split}.txt' for split in SPLITS)):
        if not (found[0] / name).exists():
            raise UserError(f'{found[0] / name} does not exist: a VOC data set has Annotations, JPEGImages and '
                            f'ImageSets/Main/{{{",".join(SPLITS)}}}.txt')
    return found[0]


def read_split(root: Path, split: str) -> list[VOCImage]:
    """The images that a list names.

    Args:
        root (Path): From :func:`find_voc`.
        split (str): ``'train'`` or ``'val'``.

    Returns:
        list[VOCImage]: In the order of the list.

    Raises:
        UserError: If the list names none or one twice, or an image, its XML file or a box is not right; names the
            first such file and says how many there are.
    """
    listed = root / 'ImageSets' / 'Main' / f'{split}.txt'
    refuse_outside(root, 'ImageSets/Main', 'the layout of VOC', listed)
    lines = read_text(listed, f'ImageSets/Main/{split}.txt').splitlines()
    names = [_listed(root, line.strip()) for line in lines if line.strip()]
    if not names or len(set(names)) < len(names):
        raise UserError(f'{listed} names {"an image twice" if names else "no image"}: give each image one line '
                        'with its name without ending')
    found, faults = [], []
    for name in names:
        try:
            found.append(_read_image(root, name))
        except UserError as error:
            faults.append(str(error))
    if faults:
        more = f' ({len(faults) - 1} more files of {listed.name} have faults)' if len(faults) > 1 else ''
        raise UserError(faults[0] + more)
    return found


def _listed(root: Path, line: str) -> str:
    """The name in a line, which may have a label behind it, as in VOC's lists of a class, or the image's ending."""
    name, label = (line.rsplit(maxsplit=1) + [''])[:2]
    for each in (line, *([name] if label in LABELS else [])):
        for stem in (each, each.rpartition('.')[0]):
            if stem and not name_fault(f'{stem}.xml') and (root / 'Annotations' / f'{stem}.xml').is_file():
                return os.path.normpath(stem)
    return line


def _read_image(root: Path, name: str) -> VOCImage:
    path = root / 'Annotations' / f'{name}.xml'
    refuse_outside(root, 'Annotations', 'a list in ImageSets/Main', path)
    if fault := name_fault(f'{name}.xml'):
        raise UserError(f'a list in {root / "ImageSets/Main"} names {shown(name)}, which {fault}: correct or '
                        'remove the line')
    try:
        tree = ElementTree.fromstring(read_xml_text(path))  # nosec B314  # likewise
    except FileNotFoundError:
        raise UserError(f'{path} does not exist, and ImageSets/Main names it: add it or remove the line') from None
    except (ElementTree.ParseError, OSError) as error:
        raise UserError(f'{path} is no valid XML ({error}): correct it') from error
    if tree.tag != 'annotation':
        raise UserError(f'{path} is a <{shortened(tree.tag)}> and no <annotation>: replace it')
    image = _find_image(root, name, tree.findtext('filename'))
    try:
        open_image(image).close()  # it says what is wrong
    except OSError as error:
        raise UserError(f'{image} cannot be read as an image ({error}): replace it') from error
    measured = image_size(image)
    if measured is None:
        raise UserError(f'{image} cannot be read as an image: replace it')
    width, height, _ = measured
    size = tree.find('size')
    stated = (width, height) if size is None else tuple(_number(path, size, key) for key in ('width', 'height'))
    if stated not in ((width, height), (0, 0)):  # some tools write 0 where they do not know
        raise UserError(f'{path} says {stated[0]:g} x {stated[1]:g} pixels, and {image} has {width} x {height}: '
                        'correct the XML file or replace the image')
    objects = [_read_object(path, node, width, height) for node in tree.findall('object')]
    return VOCImage(image, width, height, objects)


def _find_image(root: Path, name: str, filename: str | None) -> Path:
    """By the name of the list as VOC does it, else by what the XML file says."""
    names = [f'{name}{suffix}' for suffix in SUFFIXES]
    if filename and not name_fault(base := Path(filename).name):
        names.append(base)
    found = next((root / 'JPEGImages' / each for each in names if os.path.isfile(root / 'JPEGImages' / each)), None)
    if found is None:
        raise UserError(f'{root / "JPEGImages" / shortened(filename or names[0])} does not exist, and '
                        f'Annotations/{name}.xml describes it: add the image or remove its line from ImageSets/Main')
    refuse_outside(root, 'JPEGImages', f'Annotations/{name}.xml', found)
    return found


def _read_object(path: Path, node: ElementTree.Element, width: int, height: int) -> VOCObject:
    name = (node.findtext('name') or '').strip()
    frame = node.find('bndbox')
    if not name or frame is None:
        raise UserError(f'{path} has an object without <{"bndbox" if name else "name"}>: correct it')
    xmin, ymin, xmax, ymax = (_number(path, frame, key) for key in ('xmin', 'ymin', 'xmax', 'ymax'))
    if not (1 <= xmin <= xmax <= width and 1 <= ymin <= ymax <= height):
        raise UserError(f'{path}: the box ({xmin:g}, {ymin:g}, {xmax:g}, {ymax:g}) of {shown(name)} is not inside its '
                        f'image of {width} x {height} pixels, which VOC counts from 1: correct it')
    difficult = (node.findtext('difficult') or '0').strip().lower()
    if difficult not in DIFFICULT:
        raise UserError(f'{path}: <difficult> of {shown(name)} is {shown(difficult)} and should be 0 or 1: correct it')
    return VOCObject(name, (xmin, ymin, xmax, ymax), DIFFICULT[difficult])


def _number(path: Path, node: ElementTree.Element, key: str) -> float:
    text = node.findtext(key)
    try:
        return float(text or '')
    except ValueError:
        raise UserError(f'{path}: <{key}> is {shown(text)} and should be a number of pixels: correct it') from None
