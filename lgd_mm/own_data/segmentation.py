"""A folder of images and PNG masks."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from lgd_mm.console.printable import shortened
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.mask_file import IGNORED
from lgd_mm.errors import DataError
from lgd_mm.io.texts import read_text
from lgd_mm.io.walk import is_file, is_hidden, walk
from lgd_mm.own_data.check_masks import check_masks
from lgd_mm.own_data.folder import OwnFolder
from lgd_mm.own_data.palette import class_colours

IMAGES, MASKS = ('images', 'img_dir', 'JPEGImages'), ('masks', 'annotations', 'labels', 'ann_dir')
NAMES = dict(train=('train', 'training'), val=('val', 'validation'))
MASK = '.png'
SUFFIXES = ['.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp']

#: Folders below one another: mmseg lists them by a function that calls itself.
DEEPEST = 100


@dataclass(frozen=True)
class SegmentationFolder(OwnFolder):
    """With masks.

    Attributes:
        palette (list[tuple[int, int, int]]): An RGB colour for each class.
        masks (dict[str, str]): Folders of ``'train'`` and ``'val'`` below ``root``.
        image_suffixes (list[str]): What names of images end with.
        mask_suffixes (list[str]): What names of masks have instead.
    """

    palette: list[tuple[int, int, int]]
    masks: dict[str, str]
    image_suffixes: list[str]
    mask_suffixes: list[str]


def read_segmentation(root: str) -> SegmentationFolder:
    """Look at ``classes.txt``, at the folders of images and masks, and at what the masks hold.

    Args:
        root (str): The folder, of one of the layouts in ``docs/own_data.md``.

    Returns:
        SegmentationFolder: Every image has a mask.

    Raises:
        UserError: If something is missing, the names of the files do not go together, or the masks do not fit.
    """
    classes = _classes(Path(root, 'classes.txt'))
    folders = {split: _folders(Path(root), split) for split in NAMES}
    found = {split: _files(Path(root, images), SUFFIXES) for split, (images, _) in folders.items()}
    masks = {split: _files(Path(root, masks), [MASK]) for split, (_, masks) in folders.items()}
    ending = _ending(Path(root, folders['train'][1]), masks['train'], found['train'][0])
    used: set[str] = set()
    for split, (images, labels) in folders.items():
        pairs = _pairs(Path(root, images), Path(root, labels), found[split], masks[split], ending)
        used |= {mask.name[-len(MASK):] for _, mask in pairs}
        lost = len(masks[split]) - len(pairs)
        if lost:
            print_rank0(f'{Path(root, labels)}: masks without an image: {lost}')
        absent = check_masks(Path(root, labels), pairs, classes, 2 if split == 'train' else 1)
        if absent:
            print_rank0(absent)
    return SegmentationFolder(
        root, classes, {split: images for split, (images, _) in folders.items()},
        {split: len(paths) for split, paths in found.items()}, class_colours(len(classes)),
        {split: labels for split, (_, labels) in folders.items()},
        sorted({path.suffix for paths in found.values() for path in paths}),
        sorted(ending + suffix for suffix in used))


def _classes(path: Path) -> tuple[str, ...]:
    if not path.exists():
        raise DataError(f'{path} is missing: write the name of each class on a line, that of label 0 first')
    names = tuple(line.strip() for line in read_text(path).rstrip().splitlines())
    if '' in names or len(set(names)) < len(names) or not names:  # an empty line would shift the labels behind it
        raise DataError(f'{path} must hold different names, one on each line, and no empty line')
    if len(names) == 1:
        raise DataError(f'{path} has one name: segmentation needs two, of which one may be background')
    if len(names) > IGNORED:
        raise DataError(f'{path} has {len(names)} names, and mmseg knows {IGNORED} classes: its masks have 8 bits, of '
                        f'which {IGNORED} is ignored')
    return names


def _folders(root: Path, split: str) -> tuple[str, str]:
    """Folders of a split's images and masks: ``images/train``, ``masks/train``, or ``train``, ``trainannot``."""
    names = NAMES[split]
    images = [f'{folder}/{name}' for folder in IMAGES for name in names] + list(names)
    masks = [f'{folder}/{name}' for folder in MASKS for name in names] + [f'{name}annot' for name in names]
    found = [next((path for path in paths if (root / path).is_dir()), None) for paths in (images, masks)]
    for path, what in zip(found, ('images', 'masks')):
        if path is None:
            raise DataError(f'--data {root} has no folder {what}/{split}: see docs/own_data.md')
    return str(found[0]), str(found[1])


def _files(folder: Path, suffixes: list[str]) -> list[Path]:
    """Those with one of the endings, in capitals or not; not what systems hide, such as macOS' ``._NAME``."""
    there = sorted(Path(entry.path) for entry in walk(folder, is_hidden, links=False)
                   if is_file(entry) and not is_hidden(entry.name))
    deep = next((path for path in there if len(path.parts) - len(folder.parts) > DEEPEST), None)
    if deep:
        raise DataError(f'{folder} has files below {DEEPEST} folders and more, such as {shortened(deep.name)}, '
                        'which mmseg does not list: move them up')
    found = [path for path in there if path.suffix.lower() in suffixes]
    if not found:
        what = 'masks' if suffixes == [MASK] else 'images'
        others = f', only such as {there[0].name}: save them as {", ".join(suffixes)}' if there else ''
        raise DataError(f'{folder} has no {what} ({", ".join(suffixes)}){others}')
    return found


def _ending(folder: Path, masks: list[Path], image: Path) -> str:
    """What the mask of an image has between the image's name and ``.png``, such as ``_mask``."""
    found = sorted((path.stem for path in masks if path.stem.startswith(image.stem)), key=len)
    if not found:
        raise DataError(f'{folder} has no mask {image.stem}{MASK} for {image}')
    return found[0].removeprefix(image.stem)


def _pairs(images: Path, folder: Path, found: list[Path], masks: list[Path], ending: str) -> list[tuple[Path, Path]]:
    """Images and their masks."""
    known = {path.relative_to(folder).with_suffix(''): path for path in masks}
    names = [(path, path.relative_to(images).parent / (path.stem + ending)) for path in found]
    for paths in (found, masks):
        of_name = {path.with_suffix(''): path for path in paths}
        twice = next((path for path in paths if of_name[path.with_suffix('')] != path), None)
        if twice:
            raise DataError(f'{twice} and {of_name[twice.with_suffix("")].name} differ in their ending alone: a mask '
                            'goes by the name of its image; rename or remove one')
    without = [name for _, name in names if name not in known]
    if without:
        other = _spelt(without[0]) in map(_spelt, known)
        cure = ', but one whose name has other letters of Unicode that look the same: rename it' if other else ''
        raise DataError(f'{len(without)} of {len(found)} images in {images} have no mask in {folder}, such as '
                        f'{without[0]}{MASK}{cure}')
    return [(path, known[name]) for path, name in names]


def _spelt(path: Path) -> str:
    """One of the ways in which Unicode spells a name; macOS takes another than most."""
    return unicodedata.normalize('NFC', str(path))
