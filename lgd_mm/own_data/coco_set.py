"""A file in COCO format and its images: looked at once, whoever asks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import DataError
from lgd_mm.io.texts import read_json
from lgd_mm.own_data.check_annotations import check_annotations, is_id, is_thin
from lgd_mm.own_data.check_objects import check_objects
from lgd_mm.own_data.check_sizes import check_sizes
from lgd_mm.own_data.complete_annotations import complete_annotations
from lgd_mm.own_data.whole_ids import whole_ids

#: What has passed: file, time of its last change, folder and purpose.
_PASSED: set[tuple[str, int, str, str]] = set()


def read_coco(path: str | Path) -> dict[str, Any]:
    """Read a file in COCO format.

    Args:
        path (str | Path): The file, in UTF-8, with or without a mark.

    Returns:
        dict[str, Any]: With the lists ``images``, which is not empty, and ``annotations``.

    Raises:
        UserError: If it is none.
    """
    content = read_json(path)
    lists = [content.get(key) for key in ('images', 'annotations')] if isinstance(content, dict) else [None]
    if not all(isinstance(each, list) for each in lists):
        raise DataError(f'{path} is no annotation file in COCO format: it has no lists "images" and "annotations"')
    whole_ids(content)
    if not content['images']:
        raise DataError(f'{path} names no images')
    return content


def check_coco(path: str | Path, categories: Mapping[int, str], folder: str | Path, purpose: str,
               content: dict[str, Any] | None = None) -> None:
    """Look at the annotations of a set and at the sizes of its images, and say what is odd.

    Args:
        path (str | Path): Of the file.
        categories (Mapping[int, str]): Ids and names of those that count.
        folder (str | Path): Of the images.
        purpose (str): ``'train'`` or ``'test'``.
        content (dict[str, Any], optional): Of :func:`read_coco`; completed in place. Defaults to None: it is read.

    Raises:
        UserError: If the set cannot be used for the purpose; names the file and ids.
    """
    known = str(Path(path).resolve()), Path(path).stat().st_mtime_ns, str(Path(folder).resolve()), purpose
    if known in _PASSED:
        return
    content = content or read_coco(path)
    every: set[int] = {item['id'] for item in content.get('categories') or ()
                       if isinstance(item, Mapping) and is_id(item.get('id'))}
    left_out = check_annotations(path, content, every | set(categories))
    if thin := [item['id'] for item in content['annotations'] if is_thin(item.get('segmentation'))]:
        print_rank0(f'{path}: {len(thin)} objects have polygons of fewer than three points, which are no part of their '
                    f'masks, such as annotation {thin[0]}')
    if complete := complete_annotations(content):
        print_rank0(f'{path}: {complete} objects have no "area", and that of their mask or box is taken')
    used = [item for item in content['annotations'] if item['category_id'] in categories]
    odd = check_objects(path, dict(content, annotations=used), purpose)
    if odd:
        print_rank0(odd)
    if left_out:
        fate = 'are left out' if purpose == 'train' else 'count as any other, though training leaves out such'
        print_rank0(f'{path}: {len(left_out)} objects {fate}, such as: {"; ".join(left_out[:3])}')
    check_sizes(path, content['images'], Path(folder))
    _PASSED.add(known)
