"""Which folders are read as they are: those of ``docs/own_data.md`` that need no conversion."""

from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.formats.class_table import read_table
from lgd_mm.formats.mask_folders import VOID
from lgd_mm.formats.mask_labels import are_binary
from lgd_mm.io.texts import read_text
from lgd_mm.own_data.class_folders import find_parts
from lgd_mm.own_data.segmentation import IMAGES, MASKS, NAMES


def is_canonical(root: Path, to: str) -> bool:
    """Whether a folder has the layout that is read as it is.

    Args:
        root (Path): The folder.
        to (str): ``'coco'``, ``'masks'`` or ``'folders'``.
    """
    return dict(coco=_is_coco, masks=_is_masks, folders=_is_folders)[to](root)


def _is_coco(root: Path) -> bool:
    folder = root / 'annotations'
    return all((folder / f'{part}.json').is_file() or any(folder.glob(f'instances_{part}*.json'))
               for part in ('train', 'val'))


def _is_masks(root: Path) -> bool:
    if not (root / 'classes.txt').is_file() or (root / VOID).is_file():
        return False
    masks = []
    for names in NAMES.values():
        found = [root / folder / name for folder in MASKS for name in names] + [root / f'{name}annot' for name in names]
        images = [root / folder / name for folder in IMAGES for name in names] + [root / name for name in names]
        if not any(path.is_dir() for path in images) or not any(path.is_dir() for path in found):
            return False
        masks += [path for folder in found if folder.is_dir() for path in sorted(folder.rglob('*.png'))]
    lines = read_text(root / 'classes.txt').splitlines()
    try:
        if [*read_table(root / 'classes.txt').names.items()] != [*enumerate(map(str.strip, lines))]:
            return False  # a table of values or of colours
        return len(lines) != 2 or not are_binary(masks)
    except UserError:  # whoever reads the set tells what is wrong
        return True


def _is_folders(root: Path) -> bool:
    try:
        train, val = find_parts(root, training=True)
    except UserError:
        return False
    return all(any(path.is_dir() for path in folder.iterdir()) for folder in (train, val) if folder)
