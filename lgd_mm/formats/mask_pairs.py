"""Where images and their masks lie: many layouts, all of two folders, or of one with two endings."""

import os
from collections.abc import Sequence
from pathlib import Path

from lgd_mm.errors import DataError
from lgd_mm.formats.image_index import files_below
from lgd_mm.formats.notes import Notes
from lgd_mm.formats.part_names import split_of
from lgd_mm.io.image_files import EXTENSIONS

IMAGES = ('images', 'img_dir', 'JPEGImages', 'image', 'imgs', 'img')
MASKS = ('masks', 'annotations', 'labels', 'ann_dir', 'mask', 'SegmentationClass', 'SegmentationClassPNG', 'label',
         'segmentation', 'labels_png')
#: What stands between the name of an image and the ending of its mask, where both lie in one folder.
BESIDE = ('_mask', '_label', '_labels', '_seg', '_gt')
#: Endings of masks: other formats keep no exact numbers.
EXACT = ('.png', '.bmp', '.tif', '.tiff', '.gif')


def find_folders(root: Path) -> list[tuple[Path, Path]]:
    """Folders of images and of their masks; the same folder twice if masks lie beside their images.

    Args:
        root (Path): Of the set.

    Returns:
        list[tuple[Path, Path]]: ``images`` and ``masks``, or these below each part; empty if there are none.
    """
    places = [root, *sorted(path for path in root.iterdir() if path.is_dir() and split_of(path.name))]
    found = []
    for place in places:
        names = {entry.name for entry in place.iterdir() if entry.is_dir()}
        images = next((name for name in IMAGES if name in names), None)
        masks = next((name for name in MASKS if name in names and _some(place / name, EXACT)), None)
        if images and masks:
            found.append((place / images, place / masks))
        elif place == root:
            found += [(root / name, root / other) for name in sorted(names) if split_of(name)
                      for other in (f'{name}annot', f'{name}_mask', f'{name}_masks', f'{name}_labels')
                      if other in names]
        elif _beside(place):
            found.append((place, place))
    if not found and _beside(root):
        found.append((root, root))
    return found


def find_pairs(images: Path, masks: Path, notes: Notes) -> list[tuple[Path, Path]]:
    """Images and their masks.

    Args:
        images (Path): Folder of the images.
        masks (Path): Folder of the masks; may be the same.
        notes (Notes): Is told of images without a mask, and of masks without an image.

    Returns:
        list[tuple[Path, Path]]: In the order of the images' paths; those without a mask are left out.

    Raises:
        UserError: If two images or masks differ in their ending alone, or none go together.
    """
    there = files_below(masks, EXACT)
    pictures = files_below(images, EXTENSIONS)
    if images == masks:
        there = [path for path in there if path.stem.endswith(BESIDE)]
        beside = set(there)
        pictures = [path for path in pictures if path not in beside]
    ending = _ending(pictures, there, images, masks)
    by_key: dict[Path, Path] = {}
    for path in there:
        key = path.relative_to(masks).with_name(path.stem)
        if key in by_key:
            raise DataError(f'{path} and {by_key[key].name} differ in their ending alone: remove or rename one')
        by_key[key] = path
    pairs = []
    for path in pictures:
        mask = by_key.pop(path.relative_to(images).with_name(path.stem + ending), None)
        if mask is None:
            notes.add('images have no mask and are left out', path.relative_to(images.parent))
        else:
            pairs.append((path, mask))
    for path in by_key.values():
        notes.add('masks are of no image that is there and are left out', path.relative_to(masks.parent))
    return pairs


def _ending(images: Sequence[Path], masks: Sequence[Path], folder: Path, of_masks: Path) -> str:
    """What the mask of an image has between the image's name and its own ending, such as ``_mask``."""
    stems = {path.relative_to(of_masks).with_name(path.stem) for path in masks}
    endings = ('', *BESIDE, '_labelIds', '_gtFine_labelIds', '_L', '-mask', 'mask', '_segmentation')
    counts = {ending: sum(path.relative_to(folder).with_name(path.stem + ending) in stems for path in images)
              for ending in endings}
    best = max(endings, key=lambda ending: counts[ending])
    if not counts[best]:
        example = f', such as {masks[0].name} for {images[0].name}' if images and masks else ''
        raise DataError(f'{of_masks}: no mask has the name of an image in {os.path.basename(folder)}{example}: name '
                        'each as its image, or with _mask behind that')
    return best


def _beside(folder: Path) -> bool:
    return any(path.stem.endswith(BESIDE) and path.suffix.lower() in EXACT for path in folder.iterdir())


def _some(folder: Path, endings: Sequence[str]) -> bool:
    return bool(files_below(folder, endings))
