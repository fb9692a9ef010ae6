"""ImageNet's validation images come in one folder; their classes are in the development kit or in a list."""

import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.io.texts import read_text
from lgd_mm.preparation.links import refuse_links
from lgd_mm.preparation.repairs import move
from lgd_mm.preparation.spec import DatasetSpec, Pictures, Repair
from lgd_mm.preparation.tree import Tree

DEVKIT = 'ILSVRC2012_devkit_t12.tar.gz'
#: mmpretrain's list of the flat folder (``ILSVRC2012_val_00000001.JPEG 65``).
FLAT_LIST = 'meta/val.txt'


def flat_validation(tree: Tree, spec: DatasetSpec, folders: Sequence[Path]) -> Iterator[Repair]:
    """Validation images that lie directly in ``val``.

    Args:
        tree (Tree): The data set.
        spec (DatasetSpec): ImageNet's.
        folders (Sequence[Path]): Where the development kit may be, the user's root first.

    Yields:
        Repair: Sorts them into the folders of their classes.

    Raises:
        UserError: If they lie behind a link, or would come to lie there.
    """
    flat = [name for name in tree.with_suffix('val', ('.jpeg', )) if '/' not in name]
    part = spec.part('val')
    if flat and isinstance(part, Pictures) and part.classes:
        classes = part.classes()
        refuse_links(folders[0], tree / 'val', *(tree / 'val' / name for name in tree.subfolders('val')))
        yield Repair(f'val holds {len(flat):,} images outside the folders of their classes', ('val', ),
                     partial(_sort, tree, flat, classes, folders))
    listed = tree / FLAT_LIST
    if listed.is_file() and '/' not in read_text(listed).split('\n', 1)[0]:
        # mmpretrain would look for the images where this list says.
        refuse_links(folders[0], listed.parent)
        yield Repair(f'{FLAT_LIST} is of images outside the folders of their classes', ('val', ),
                     partial(move, listed, listed.with_name('val_flat.txt')))


def _sort(tree: Tree, flat: Sequence[str], classes: Sequence[str], folders: Sequence[Path]) -> None:
    """Move each image into the folder of its class.

    Raises:
        UserError: If neither source of the classes is there, or does not know an image.
    """
    known = _from_list(tree, classes) or _from_devkit(folders)
    if known is None:
        raise UserError(f'the classes of the images in {tree / "val"} are not known: put {DEVKIT} into '
                        f"{folders[0]}, or mmpretrain's list at {tree / FLAT_LIST}")
    strange = [name for name in flat if name not in known]
    if strange:
        raise UserError(f'{tree / "val" / strange[0]} is no validation image of ImageNet: remove it (and '
                        f'{len(strange) - 1} more)')
    for name in flat:
        move(tree / 'val' / name, tree / 'val' / known[name] / name)


def _from_list(tree: Tree, classes: Sequence[str]) -> dict[str, str] | None:
    """Folder of each image by mmpretrain's list, whose labels are places in the sorted folders."""
    for path in (tree / FLAT_LIST, tree / 'meta/val_flat.txt'):
        if not path.is_file():
            continue
        try:
            pairs = [line.split() for line in read_text(path).splitlines() if line.strip()]
            return {Path(name).name: classes[int(label)] for name, label in pairs}
        except (ValueError, IndexError) as error:
            raise UserError(f'{path} is no list of images and labels: lines are like "ILSVRC2012_val_00000001.JPEG '
                            f'65", with labels below {len(classes)}') from error
    return None


def _from_devkit(folders: Sequence[Path]) -> dict[str, str] | None:
    """Folder of each image by the development kit, which numbers them."""
    archive = next((folder / DEVKIT for folder in folders if (folder / DEVKIT).is_file()), None)
    if archive is None:
        return None
    from torchvision.datasets.imagenet import load_meta_file, parse_devkit_archive  # seconds, seldom needed
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / DEVKIT).symlink_to(archive.resolve())
        try:
            parse_devkit_archive(folder)
            _, wnids = load_meta_file(folder)
        except RuntimeError as error:
            raise UserError(f'{archive} is damaged or incomplete: download it again') from error
    return {f'ILSVRC2012_val_{number:08}.JPEG': wnid for number, wnid in enumerate(wnids, start=1)}
