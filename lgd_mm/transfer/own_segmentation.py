"""A folder of pictures and PNG masks."""

from dataclasses import dataclass
from glob import escape
from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.pictures import open_picture
from lgd_mm.transfer.own_folder import OwnFolder
from lgd_mm.transfer.palette import class_colours

PICTURES, MASKS = ('images', 'img_dir', 'JPEGImages'), ('masks', 'annotations', 'labels', 'ann_dir')
NAMES = dict(train=('train', 'training'), val=('val', 'validation'))
SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')


@dataclass(frozen=True)
class SegmentationFolder(OwnFolder):
    """With masks.

    Attributes:
        palette (list[tuple[int, int, int]]): An RGB colour for each class.
        masks (dict[str, str]): Folders of ``'train'`` and ``'val'`` below ``root``.
        picture_suffix (str): What a picture's name ends with.
        mask_suffix (str): What its mask's name has instead.
    """

    palette: list[tuple[int, int, int]]
    masks: dict[str, str]
    picture_suffix: str
    mask_suffix: str


def read_segmentation(root: str) -> SegmentationFolder:
    """Look at ``classes.txt`` and at the folders of pictures and masks.

    Args:
        root (str): The folder, of one of the layouts in ``docs/own_data.md``.

    Returns:
        SegmentationFolder: Every picture has a mask.

    Raises:
        UserError: If something is missing, or the names of the files do not go together.
    """
    classes = _classes(Path(root, 'classes.txt'))
    pairs = {split: _folders(Path(root), split) for split in NAMES}
    pictures = {split: _pictures(Path(root, images)) for split, (images, _) in pairs.items()}
    suffixes = {path.suffix for paths in pictures.values() for path in paths}
    if len(suffixes) > 1:
        raise UserError(f'{root} has pictures of different kinds ({", ".join(sorted(suffixes))}): convert them to one')
    picture_suffix = suffixes.pop()
    mask_suffix = _mask_suffix(Path(root, pairs['train'][1]), pictures['train'][0])
    for split, (images, masks) in pairs.items():
        _check_masks(Path(root, images), Path(root, masks), pictures[split], mask_suffix)
    return SegmentationFolder(
        root, classes, {split: images for split, (images, _) in pairs.items()},
        {split: len(paths) for split, paths in pictures.items()}, class_colours(len(classes)),
        {split: masks for split, (_, masks) in pairs.items()}, picture_suffix, mask_suffix)


def _classes(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        raise UserError(f'{path} is missing: write the name of each class on a line, that of label 0 first')
    try:
        text = path.read_text(encoding='utf-8-sig')  # some editors begin the file with a mark
    except UnicodeDecodeError as error:
        raise UserError(f'{path} is not in UTF-8: save it so') from error
    names = tuple(line.strip() for line in text.rstrip().splitlines())
    if '' in names or len(set(names)) < len(names) or not names:  # an empty line would shift the labels behind it
        raise UserError(f'{path} must hold different names, one on each line, and no empty line')
    return names


def _folders(root: Path, split: str) -> tuple[str, str]:
    """Folders of a split's pictures and masks: ``images/train``, ``masks/train``, or ``train``, ``trainannot``."""
    names = NAMES[split]
    images = [f'{folder}/{name}' for folder in PICTURES for name in names] + list(names)
    masks = [f'{folder}/{name}' for folder in MASKS for name in names] + [f'{name}annot' for name in names]
    found = [next((path for path in paths if (root / path).is_dir()), None) for paths in (images, masks)]
    for path, what, kind in zip(found, ('images', 'masks'), ('pictures', 'masks')):
        if path is None:
            raise UserError(f'--data {root} has no folder {what}/{split} for {kind}: see docs/own_data.md')
    return str(found[0]), str(found[1])


def _pictures(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob('*') if path.suffix.lower() in SUFFIXES)
    if not found:
        raise UserError(f'{folder} has no pictures ({", ".join(SUFFIXES)})')
    return found


def _mask_suffix(masks: Path, picture: Path) -> str:
    """``.png``, or what else the mask of the first picture has behind the picture's name, such as ``_mask.png``."""
    found = sorted(masks.rglob(f'{escape(picture.stem)}*.png'), key=lambda path: len(path.name))
    if not found:
        raise UserError(f'{masks} has no mask {picture.stem}.png for {picture}')
    with open_picture(found[0]) as mask:
        if mask.mode not in ('L', 'P', '1', 'I', 'I;16'):
            raise UserError(f'{found[0]} is a picture of colours ({mask.mode}): a mask holds the number of a class in '
                            'each pixel')
    return found[0].name.removeprefix(picture.stem)


def _check_masks(images: Path, masks: Path, pictures: list[Path], suffix: str) -> None:
    without = [path for path in pictures
               if not (masks / path.relative_to(images).with_suffix('')).with_name(path.stem + suffix).is_file()]
    if without:
        raise UserError(f'{len(without)} of {len(pictures)} pictures in {images} have no mask in {masks}, such as '
                        f'{without[0].stem}{suffix}')
