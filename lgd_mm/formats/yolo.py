"""YOLO's text files, of Ultralytics and of Darknet (https://docs.ultralytics.com/datasets/detect/)."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from lgd_mm.console.printable import shown
from lgd_mm.errors import DataError
from lgd_mm.formats.image_files import sizes_as_read
from lgd_mm.formats.image_index import ImageIndex, files_below, unannotated
from lgd_mm.formats.labelled_set import DETECTION, LabelledImage, LabelledObject, LabelledSet
from lgd_mm.formats.notes import Notes
from lgd_mm.formats.objects import NO_OBJECT, Objects
from lgd_mm.formats.part_names import TEST, TRAIN, VAL, part_of, split_of
from lgd_mm.formats.splits import settle_splits
from lgd_mm.formats.yolo_yaml import yaml_file
from lgd_mm.io.image_files import EXTENSIONS
from lgd_mm.io.texts import read_text
from lgd_mm.io.yaml_values import count_values, without_merges

SHAPE = ('a line is CLASS X Y WIDTH HEIGHT, with the box\'s centre, or CLASS X1 Y1 X2 Y2 X3 Y3 ..., in parts of the '
         'image, 0 to 1')
#: Files of names without a ``data.yaml``, one on each line; LabelImg writes them beside the labels.
NAMES = ('classes.txt', 'obj.names', 'labels.txt', 'names.txt')
#: Values of a line: class and box, or these and how sure a network was.
OF_BOX = (5, 6)


def read(root: Path, share: float) -> LabelledSet:
    """Read a set.

    Args:
        root (Path): Its folder, with ``data.yaml`` or ``classes.txt``, images, and for each a text file of its name
            beside it or in a folder ``labels`` where its own is ``images``.
        share (float): For ``'val'``, if there is none.

    Returns:
        LabelledSet: Boxes in pixels.

    Raises:
        UserError: If a line is none, a class is unknown, or there is nothing to train with.
    """
    notes = Notes()
    settings = _settings(root)
    classes = _names(root, settings)
    index, objects = ImageIndex(root, notes), Objects(notes, SHAPE)
    last = None
    if 'kpt_shape' in settings:
        last = OF_BOX[0]
        notes.say('behind their boxes, lines have key points, which are not read')
    parts = _parts(root, settings, index)
    paths = [path for images in parts.values() for path in images]
    sizes = sizes_as_read(paths, root, notes, 'YOLO')
    found: dict[str | None, list[LabelledImage]] = {}
    labels = set()
    for split, images in parts.items():
        for path in images:
            size, label = sizes.get(path), _label_file(path, root)
            if label is not None:
                labels.add(label)
            if size is None:
                continue
            items = () if label is None else tuple(_objects(label, classes, size[:2], objects, last))
            if label is None:
                notes.add('images have no label file and are kept as images without objects',
                          path.relative_to(index.root))
            elif not items:
                notes.add(NO_OBJECT, path.relative_to(index.root))
            found.setdefault(split, []).append(LabelledImage(path, size.width, size.height, items))
    for path in files_below(root, ('.txt',)):
        others = path.parent == root or path.name in NAMES or split_of(path.stem)  # such as lists of images
        if path not in labels and not others:
            notes.add('label files are of no image that is there and are left out', path.relative_to(root))
    for path in unannotated(index, paths):
        notes.add('images are of no part and are left out', path.relative_to(index.root))
    objects.end(root)
    return LabelledSet(root, 'yolo', DETECTION, classes, settle_splits(found, share, notes, root), notes)


def _settings(root: Path) -> dict[str, Any]:
    path = yaml_file(root)
    if path is None:
        return {}
    try:
        content = yaml.safe_load(without_merges(read_text(path)))
        count_values(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(f'{path} is no valid YAML ({str(error).splitlines()[0]}): correct it') from error
    if not isinstance(content, dict):
        raise DataError(f'{path} has no keys: write names, train and val, as in docs/own_data.md')
    return content


def _names(root: Path, settings: dict[str, Any]) -> tuple[str, ...]:
    names = settings.get('names')
    listed = (folder / name for folder in (root, root / 'labels') for name in NAMES)
    source = next(filter(Path.is_file, listed), None) if names is None else yaml_file(root)
    if source is None:
        raise DataError(f'{root} has no data.yaml with names: write names: [cat, dog], those of class 0, 1, ...')
    if names is None:
        names = [line.strip() for line in read_text(source).splitlines() if line.strip()]
    if isinstance(names, dict):
        if set(names) != set(range(len(names))):
            raise DataError(f'{source}: names are those of the classes {shown(sorted(names, key=str))}, which should '
                            f'be 0 to {len(names) - 1}')
        names = [names[label] for label in range(len(names))]
    if not isinstance(names, list) or not names:
        raise DataError(f'{source}: names is {shown(names)}, and should be a list, such as [cat, dog]')
    odd = [name for name in names if isinstance(name, bool) or not isinstance(name, (str, int))]
    if odd:
        raise DataError(f'{source}: names has {shown(odd[0])}, which YAML makes of a word or a number without quotes: '
                        "write 'no', '1.10'")
    names = [str(name) for name in names]
    if len(set(names)) < len(names):
        raise DataError(f'{source} has a name twice: {shown(sorted(names))}; rename one')
    return tuple(names)


def _parts(root: Path, settings: dict[str, Any], index: ImageIndex) -> dict[str | None, list[Path]]:
    """Images of each part, by ``data.yaml``, or else by the names of folders and of lists."""
    parts: dict[str | None, list[Path]] = {}
    source = yaml_file(root)
    base = root / str(settings.get('path') or '')
    for key, split in ((TRAIN, TRAIN), (VAL, VAL), ('valid', VAL), (TEST, TEST)):
        given = settings.get(key)
        for entry in given if isinstance(given, list) else [given] if given else []:
            if not isinstance(entry, str):
                raise DataError(f'{source}: {key} is {shown(entry)}, and should be a folder or a list of files')
            paths = _entry(root, base, entry, index, f'{source}: {key}')
            if paths is None:
                if split != TEST:
                    index.notes.say(f'{key}: {entry} of {source.name if source else root} is not there')
                continue
            parts.setdefault(split, []).extend(paths)
    if not parts:
        for path in index.paths:
            folders = path.relative_to(index.root).parts[:-1]
            parts.setdefault(part_of(folders), []).append(path)
    return {split: list(dict.fromkeys(paths)) for split, paths in parts.items()}


def _entry(root: Path, base: Path, entry: str, index: ImageIndex, source: str) -> list[Path] | None:
    """Images of a folder or a list that ``data.yaml`` names; None if it is not there.

    Tools write it in many ways: below ``path``, below the file, with ``../`` too much (Roboflow), or of a machine that
    is not this one.
    """
    parts = [part for part in Path(entry.replace('\\', '/')).parts if part not in ('/', '.', '..')]
    tails = [Path(*parts[start:]) for start in range(len(parts))] or [Path()]
    places = (_within(path, index.root) for path in (base / tails[0], *(root / tail for tail in tails)))
    place = next((path for path in places if path and os.path.exists(path)), None)
    if place is None:
        return None
    if place.is_dir():
        inner = place / 'images' if not files_below_here(place) and (place / 'images').is_dir() else place
        return [path for path in index.paths if path.is_relative_to(inner)]
    lines = [line.strip() for line in read_text(place).splitlines() if line.strip()]
    return [path for line in lines if (path := index.find(line, f'{source}, {place.name}', [place.parent, base]))]


def _within(path: Path, root: Path) -> Path | None:
    """A path as one below a folder, whose own links may lead anywhere; None if it is not below it."""
    plain = Path(os.path.normpath(path))
    if plain.is_relative_to(root):
        return plain
    real, whole = os.path.realpath(plain), os.path.realpath(root)
    return root / os.path.relpath(real, whole) if Path(real).is_relative_to(whole) else None


def files_below_here(folder: Path) -> bool:
    """Whether images lie in a folder itself."""
    return any(path.suffix.lower() in EXTENSIONS for path in folder.iterdir())


def _label_file(image: Path, root: Path) -> Path | None:
    """The text file of an image: Ultralytics puts ``labels`` in the place of the last ``images`` of its path."""
    parts = image.relative_to(root).parts if image.is_relative_to(root) else image.parts
    places = [image.with_suffix('.txt')]
    for at in reversed(range(len(parts) - 1)):
        if parts[at] in ('images', 'JPEGImages', 'img'):
            places.insert(0, root.joinpath(*parts[:at], 'labels', *parts[at + 1:]).with_suffix('.txt'))
            break
    else:
        places.append(root / 'labels' / Path(*parts).with_suffix('.txt'))
        places.append(image.parent / 'labels' / f'{image.stem}.txt')
    return next((path for path in places if path.is_file()), None)


def _objects(path: Path, classes: Sequence[str], size: Sequence[int], objects: Objects, last: int | None
             ) -> Iterator[LabelledObject]:
    """Objects of a label file, by all values of each line or by some."""
    width, height = size
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words = line.split()[:last]
        if not words:
            continue
        where = f'{path.name}, line {number}'
        try:
            label, *values = (float(word) for word in words)
        except ValueError:
            raise DataError(f'{path}, line {number} is {shown(line)}: {SHAPE}') from None
        if not label.is_integer() or not 0 <= label < len(classes):
            raise DataError(f'{path}, line {number} has the class {words[0]}, and there are {len(classes)}, 0 to '
                            f'{len(classes) - 1} ({", ".join(classes[:3])}, ...): correct it, or the names')
        taken: LabelledObject | None
        if len(words) in OF_BOX:
            if len(words) == 6:
                objects.notes.add('lines have a sixth value, taken for how sure a network was, and not read', where)
            x, y, across, down = values[:4]
            box = [(x - across / 2) * width, (y - down / 2) * height, across * width, down * height]
            taken = objects.take(where, int(label), box, (width, height))
        elif len(words) % 2 and len(words) > 6:
            pixels = [value * (height if index % 2 else width) for index, value in enumerate(values)]
            taken = objects.outline(where, int(label), [pixels], (width, height))
        else:
            raise DataError(f'{path}, line {number} has {len(words)} values: {SHAPE}')
        if taken:
            yield taken
