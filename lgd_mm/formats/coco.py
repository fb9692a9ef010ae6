"""COCO's JSON, in the layouts of COCO, Roboflow and CVAT (https://cocodataset.org/#format-data)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any

from lgd_mm.console.printable import shown
from lgd_mm.console.words import some
from lgd_mm.errors import DataError
from lgd_mm.formats.image_index import ImageIndex, unannotated
from lgd_mm.formats.labelled_set import DETECTION, LabelledImage, LabelledObject, LabelledSet
from lgd_mm.formats.notes import Notes
from lgd_mm.formats.objects import NO_OBJECT, Objects
from lgd_mm.formats.part_names import split_of
from lgd_mm.formats.splits import settle_splits
from lgd_mm.own_data.check_annotations import BOX, FEWEST_COORDINATES, check_annotations, is_id, is_thin
from lgd_mm.own_data.coco_categories import read_categories
from lgd_mm.own_data.coco_set import read_coco

#: Where files of annotations lie, the likeliest first; where one is found, the others are not looked at.
PLACES = ('annotations/*.json', '*/_annotations.coco.json', '*/annotations/*.json', '*/*.json', '*.json')
#: Beginnings of files that hold something else than objects, beside those that do.
OTHER_KINDS = ('captions', 'person_keypoints', 'image_info', 'panoptic', 'stuff', 'labels')
UNUSED = 'images have no labels in the annotation files and are left out'


def read(root: Path, share: float) -> LabelledSet:
    """Read a set.

    Args:
        root (Path): Its folder: ``annotations/*.json``, ``{train,valid,test}/_annotations.coco.json``, or one file.
        share (float): For ``'val'``, if there is none.

    Returns:
        LabelledSet: Classes have the order of their ids.

    Raises:
        UserError: If a file cannot be read, an object cannot be used, or there is nothing to train with.
    """
    notes = Notes()
    files = annotation_files(root)
    contents = {path: read_coco(path) for path in files}
    classes, numbers = _classes({path: read_categories(path) for path in files}, contents, notes)
    index, objects = ImageIndex(root, notes), Objects(notes, BOX)
    found: dict[str | None, list[LabelledImage]] = {}
    for path, split in files.items():
        found.setdefault(split, []).extend(_images(path, split, contents[path], numbers[path], index, objects))
    objects.end(root)
    used = [image.path for images in found.values() for image in images]
    for path in unannotated(index, used):
        notes.add(UNUSED, path.relative_to(index.root))
    return LabelledSet(root, 'coco', DETECTION, classes, settle_splits(found, share, notes, root), notes)


def annotation_files(root: Path) -> dict[Path, str | None]:
    """Files of annotations and the part that each is of.

    Args:
        root (Path): Of the set.

    Returns:
        dict[Path, str | None]: None for a file of no part.

    Raises:
        UserError: If there is none, or two are of the same part.
    """
    every = next((found for pattern in PLACES if (found := sorted(
        path for path in root.glob(pattern) if not path.name.startswith('.')))), [])
    files = [path for path in every if not path.name.startswith(OTHER_KINDS)]
    files = files or [path for path in every if not path.name.startswith('captions')]
    if not files and any(path.name.startswith('captions') for path in every):
        raise DataError(f'{every[0]} holds captions, which no method here learns from: give a set with boxes or masks, '
                        'or its images alone to lgd-mm pretrain')
    if not files:
        raise DataError(f'{root} has no annotation file in COCO format: give a folder as in docs/own_data.md')
    parts: dict[Path, str | None] = {path: split_of(path.stem) or split_of(path.parent.relative_to(root).as_posix())
                                     for path in files}
    for path, split in parts.items():
        twice = [other for other, part in parts.items() if part == split and other != path]
        if twice:
            what = f'the part {split}' if split else 'no part (train, val or test)'
            raise DataError(f'{path} and {twice[0].relative_to(root)} are both of {what}: give a folder with one file '
                            'of each part')
    return parts


def _classes(categories: Mapping[Path, Sequence[Mapping[str, Any]]], contents: Mapping[Path, Mapping[str, Any]],
             notes: Notes) -> tuple[tuple[str, ...], dict[Path, dict[int, int]]]:
    """Names of the classes, and for each file the label of each id."""
    ids = {name: number for each in reversed(list(categories.values()))
           for number, name in ((item['id'], item['name']) for item in each)}
    if len({tuple((item['id'], item['name']) for item in each) for each in categories.values()}) > 1:
        first, other = list(categories)[:2]
        notes.say(f'{first.name} of {first.parent.name} and {other.name} of {other.parent.name} have other categories '
                  'or ids: classes go by their names')
    for name in _groups(categories, contents):
        del ids[name]
        notes.say(f'category {shown(name)} has no object and is the name of the group of all others, as Roboflow '
                  'writes it: it is no class')
    names = tuple(sorted(ids, key=lambda name: (ids[name], name)))
    if [ids[name] for name in names] != list(range(len(names))):
        anew = [f'{ids[name]} is {label}' for label, name in enumerate(names)]
        notes.say(f'classes are numbered anew from 0: {some(anew, 4)}')
    labels = {name: label for label, name in enumerate(names)}
    return names, {path: {item['id']: labels[item['name']] for item in each if item['name'] in labels}
                   for path, each in categories.items()}


def _groups(categories: Mapping[Path, Sequence[Mapping[str, Any]]], contents: Mapping[Path, Mapping[str, Any]]
            ) -> set[str]:
    """Names of categories that stand for all others, as Roboflow's exports have one of the id 0 without objects."""
    groups = set()
    for each in categories.values():
        first = next((item for item in each if item['id'] == 0), None)
        others = [item for item in each if item is not first]
        if first and others and first.get('supercategory') == 'none' and any(
                item.get('supercategory') == first['name'] for item in others):
            groups.add(first['name'])
    for path, each in categories.items():
        used = {item.get('category_id') for item in contents[path]['annotations'] if isinstance(item, Mapping)
                and is_id(item.get('category_id'))}
        groups -= {item['name'] for item in each if item['id'] in used}
    return groups


def _images(path: Path, split: str | None, content: dict[str, Any], labels: Mapping[int, int], index: ImageIndex,
            objects: Objects) -> Iterator[LabelledImage]:
    """Images of a file with their objects."""
    _number(content, objects.notes)
    files = _files(path, split, content['images'], index)
    check_annotations(path, content, set(labels) | {item['id'] for item in content['categories']})
    of_image: dict[Any, list[LabelledObject]] = {image['id']: [] for image in content['images']}
    images = {image['id']: image for image in content['images']}
    for item in content['annotations']:
        image = images[item['image_id']]
        where = f'{path.name}, annotation {item["id"]}'
        if item.get('ignore'):
            objects.notes.add('objects are to be ignored and are dropped', where)
            continue
        mask: Any = item.get('segmentation') or None
        if is_thin(mask):
            objects.notes.add('objects have polygons of fewer than three points', where)
            mask = [part for part in mask if len(part) >= FEWEST_COORDINATES] or None
        taken = objects.take(where, labels[item['category_id']], item['bbox'], (image['width'], image['height']), mask,
                             item.get('area') or None, bool(item.get('iscrowd')))
        if taken:
            of_image[image['id']].append(taken)
    found: dict[Path, LabelledImage] = {}
    for file, image in zip(files, content['images']):
        if file in found:  # as tools write it that know one object of an image
            objects.notes.add('images are there under a second id, of which the objects are added', image['file_name'])
            whole = (*found[file].objects, *of_image[image['id']])
            found[file] = replace(found[file], objects=whole)
        elif file is not None:
            found[file] = LabelledImage(file, image['width'], image['height'], tuple(of_image[image['id']]))
    for file, each in found.items():
        if not each.objects:
            objects.notes.add(NO_OBJECT, file.relative_to(index.root))
    yield from found.values()


def _files(path: Path, split: str | None, images: Sequence[Any], index: ImageIndex) -> list[Path | None]:
    """Where each image is; its ``file_name`` becomes that below the set, as the checks of names expect it."""
    base = path.parent.parent if path.parent.name == 'annotations' else path.parent
    names = [*([split, f'{split}2017'] if split else []), path.stem.removeprefix('instances_')]
    bases = dict.fromkeys((base, index.root))
    near = [folder / place for folder in bases for name in names for place in (name, f'images/{name}')]
    near += [folder / place for folder in bases for place in ('images', 'JPEGImages', '')]
    found = []
    for image in images:
        name = image.get('file_name') if isinstance(image, Mapping) else None
        file = index.find(name, str(path), near) if isinstance(name, str) and name else None
        if isinstance(name, str) and name:
            image['file_name'] = PureWindowsPath(name).name if file is None else str(file.relative_to(index.root))
        found.append(file)
    return found


def _number(content: Mapping[str, Any], notes: Notes) -> None:
    """Number annotations anew if they have no ids, or one several times: nothing else goes by them."""
    items = [item for item in content['annotations'] if isinstance(item, dict)]
    ids = [item.get('id') for item in items if is_id(item.get('id'))]
    if ids and len(ids) < len(items):
        return  # single ones are mistakes, which are told
    if len(set(ids)) < len(items):
        notes.add(f'annotations have {"an id of another one" if ids else "no id"}, and all are numbered anew',
                  count=len(items) - len(set(ids)))
        for number, item in enumerate(items, 1):
            item['id'] = number
