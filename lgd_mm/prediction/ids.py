"""By which numbers images and categories are known in COCO's format."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgd_mm.console.words import some
from lgd_mm.errors import UserError
from lgd_mm.own_data.check_annotations import is_id
from lgd_mm.own_data.coco_set import read_coco
from lgd_mm.prediction.sources import Sources


@dataclass(frozen=True)
class Ids:
    """Numbers of images and categories.

    Attributes:
        images (dict[str, int], optional): By the images' names; None: they are counted from 1, in their order.
        categories (list[int]): Of each class.
    """

    images: dict[str, int] | None
    categories: list[int]


def counted(classes: Sequence[str]) -> Ids:
    """Those of images that no file knows: counted from 1, as the categories."""
    return Ids(None, list(range(1, len(classes) + 1)))


def ids_of_file(path: str | Path, sources: Sources, classes: Sequence[str]) -> Ids:
    """Those of an annotation file.

    Args:
        path (str | Path): In COCO's format.
        sources (Sources): All of whose images it names, by a path that ends with theirs, or theirs with it.
        classes (Sequence[str]): All of which it names.

    Returns:
        Ids: For them.

    Raises:
        UserError: If it is no such file, or lacks one.
    """
    if sources.videos:
        raise UserError(f'ids: {path} is of images, and {sources.videos[0]} is a video: give the images alone')
    content = read_coco(path)
    of_name = defaultdict(list)
    for item in _numbered(content.get('categories')):
        of_name[str(item.get('name'))].append(item['id'])
    lacking = [name for name in classes if not of_name[name]]
    if lacking:
        raise UserError(f'ids: {path} has no category {some(lacking)}, which the network tells apart: give the '
                        'annotations of a set with its classes')
    twice = [name for name in classes if len(of_name[name]) > 1]
    if twice:
        raise UserError(f'ids: {path} has several categories {some(twice)}, and the network knows classes by their '
                        'names: give each a name of its own')
    files = defaultdict(list)
    for item in _numbered(content['images']):
        name = str(item.get('file_name')).replace('\\', '/')
        files[name.rpartition('/')[2]].append((name, item['id']))
    images: dict[str, int] = {}
    for name in sources.images:
        found = [(file, number) for file, number in files[name.rpartition('/')[2]] if _ends_alike(file, name)]
        exact = [number for file, number in found if file == name] or [number for _, number in found]
        if len(exact) != 1:
            raise UserError(f'ids: {path} names {name} {len(exact)} times, which must be once: give the folder of its '
                            'images')
        images[name] = exact[0]
    if len(set(images.values())) < len(images):
        raise UserError(f'ids: {path} gives several of the images the same id: give each its own')
    return Ids(images, [of_name[name][0] for name in classes])


def _numbered(items: Any) -> list[dict[str, Any]]:
    """Those of a list that have an id."""
    every = items if isinstance(items, list) else []
    return [item for item in every if isinstance(item, dict) and is_id(item.get('id'))]


def _ends_alike(one: str, other: str) -> bool:
    return f'/{one}'.endswith(f'/{other}') or f'/{other}'.endswith(f'/{one}')
