"""Looking at a JSON file in COCO's format: structure, categories, and whether the images are there."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from lgd_mm.console.printable import shortened, shown
from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.io.named_file import name_fault
from lgd_mm.io.texts import parse_json
from lgd_mm.preparation.spec import Annotations
from lgd_mm.preparation.tree import Tree

#: What every entry of a list must have, by the type of its value.
FIELDS: dict[str, dict[str, tuple[type, ...]]] = {
    'images': dict(id=(int, ), width=(int, ), height=(int, )),
    'annotations': dict(id=(int, ), image_id=(int, ), category_id=(int, ), bbox=(list, )),
    'categories': dict(id=(int, ), name=(str, )),
}


def check_annotations(part: Annotations, tree: Tree) -> Iterator[str]:
    """What is wrong with an annotation file.

    Args:
        part (Annotations): What it should be.
        tree (Tree): The data set; the file is there.

    Yields:
        str: A sentence for each kind of fault.
    """
    try:
        content = parse_json(read_plain(tree / part.path), part.path)
    except OSError as error:
        yield f'{part.path} cannot be read ({error.strerror}): unpack it again'
        return
    except UserError as error:
        yield str(error)
        return
    faults = list(_structure(content))
    if faults:
        yield from (f'{part.path} {fault}' for fault in faults)
        return
    yield from (f'{part.path} {fault}' for fault in _content(part, tree, content))


def _structure(content: Any) -> Iterator[str]:
    for key, fields in FIELDS.items():
        entries = content.get(key) if isinstance(content, dict) else None
        if not isinstance(entries, list):
            yield f'has no list {key!r}: it is not in COCO\'s format'
            continue
        for index, entry in enumerate(entries):
            lacking = [name for name, types in fields.items()
                       if not isinstance(entry, dict) or not isinstance(entry.get(name), types)]
            if lacking:
                yield f'has no valid {", ".join(map(repr, lacking))} in {key}[{index}]: unpack it again'
                break


def _content(part: Annotations, tree: Tree, content: dict[str, Any]) -> Iterator[str]:
    names = [category['name'] for category in sorted(content['categories'], key=lambda category: category['id'])]
    expected = list(part.categories())
    if names != expected:
        lacking, strange = set(expected) - set(names), set(names) - set(expected)
        # What is neither lacking nor strange stands in another order.
        told = '; '.join(f'{what} {_first(group)}' for what, group in (('lacks', lacking), ('has', strange)) if group)
        yield (f'has {len(names):,} categories that are not the {len(expected):,} the configs expect '
               f'({told or "they are in another order"}): take the published file')
    images = content['images']
    if len(images) != part.count:
        yield f'names {len(images):,} images instead of {part.count:,}'
    known, categories = {image['id'] for image in images}, {category['id'] for category in content['categories']}
    for key, ids in (('image_id', known), ('category_id', categories)):
        lost = [annotation for annotation in content['annotations'] if annotation[key] not in ids]
        if lost:
            yield (f'has {len(lost):,} annotations whose {key} is unknown (the first has the id {shown(lost[0]["id"])} '
                   f'and the {key} {shown(lost[0][key])})')
    yield from _images(part, tree, images)


def _images(part: Annotations, tree: Tree, images: list[dict[str, Any]]) -> Iterator[str]:
    """Images that are named and not there."""
    key = 'file_name' if part.folder else 'coco_url'
    nameless = [image for image in images if not isinstance(image.get(key), str)]
    if nameless:
        yield f'has no {key!r} for the image with the id {shown(nameless[0]["id"])} (and {len(nameless) - 1:,} more)'
        return
    names = [image[key] if part.folder else '/'.join(image[key].split('/')[-2:]) for image in images]
    faults = [(image['id'], name, fault) for image, name in zip(images, names) if (fault := name_fault(name))]
    if faults:
        number, name, fault = faults[0]
        yield (f'has for the image with the id {shown(number)} the {key} {shown(name)}, which {fault} (and '
               f'{len(faults) - 1:,} more): take the published file')
        return
    there: dict[str, set[str]] = {}
    missing = []
    for each in names:
        path = PurePosixPath(part.folder, each)
        folder, name = str(path.parent), path.name
        if name not in there.setdefault(folder, set(tree.files(folder))):
            missing.append(str(path))
    if missing:
        yield (f'names {len(missing):,} images that are not there: unpack or copy them '
               f'({", ".join(map(shortened, missing[:3]))}{", ..." if len(missing) > 3 else ""})')


def _first(names: set[str]) -> str:
    ordered = sorted(names)
    return ', '.join(map(shown, ordered[:3])) + (', ...' if len(ordered) > 3 else '')
