"""Folders that lie in the wrong place: inside one more folder, under ``images``, in capitals, twice nested."""

import filecmp
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.preparation.checks import foreign_classes
from lgd_mm.preparation.links import refuse_links
from lgd_mm.preparation.spec import Annotations, DatasetSpec, Repair, TextFile
from lgd_mm.preparation.tree import Tree

#: How many folders deep a part is looked for (Kaggle's ImageNet has ``ILSVRC/Data/CLS-LOC/train``).
DEPTH = 3
#: A folder with more folders than this holds classes, not parts.
CROWDED = 40


def layout_repairs(tree: Tree, spec: DatasetSpec, folders: Sequence[Path]) -> Iterator[Repair]:
    """What brings the parts to their places.

    Args:
        tree (Tree): The data set.
        spec (DatasetSpec): Its parts.
        folders (Sequence[Path]): Where archives may be, the user's root first; nothing is taken from there.

    Yields:
        Repair: Moves a part. None for a data set without archives: it is anybody's, and has names such as ``train``
            that other folders have too.

    Raises:
        UserError: If a part could be in two places, or lies behind a link.
    """
    if spec.archives:
        yield from _misplaced(tree, spec, folders)
        yield from _twice_nested(tree, spec, folders[0])


def _misplaced(tree: Tree, spec: DatasetSpec, folders: Sequence[Path]) -> Iterator[Repair]:
    """Parts that are missing at their place and lie elsewhere below the tree."""
    missing = [part for part in spec.parts
               if not (tree / part.path).exists() and not (isinstance(part, TextFile) and part.made)]
    skipped = {*folders, *(tree / part.path for part in spec.parts)} - {tree.root}
    below = list(_below(tree.root, DEPTH, skipped)) if missing and tree.root.is_dir() else []
    for part in missing:
        target = tree / part.path
        is_file = isinstance(part, (Annotations, TextFile))
        wanted = [target.name] if is_file else Path(part.path).parts
        found = [path for path in below if path.is_file() == is_file and _ends_in(path.relative_to(tree.root), wanted)
                 and not foreign_classes(part, tree, str(path.relative_to(tree.root)))]
        if len(found) > 1:
            raise UserError(f'{part.path} of {spec.title} is missing in {tree.root}, and both {found[0]} and '
                            f'{found[1]} could be it: move the right one there')
        if found:
            source = found[0]
            refuse_links(folders[0], source, target)
            yield Repair(f'{part.path} lies at {source.relative_to(tree.root)}', (part.path, ),
                         partial(_lift, source, target, tree.root))


def _twice_nested(tree: Tree, spec: DatasetSpec, root: Path) -> Iterator[Repair]:
    """Folders that hold nothing but a folder of their own name (``train/train``)."""
    for part in spec.parts:
        target = tree / part.path
        lifted = target.with_name(f'.{target.name}.lifted')
        if lifted.exists() or (target / target.name).is_dir() and os.listdir(target) == [target.name]:
            refuse_links(root, target / target.name)
            yield Repair(f'{part.path} holds only another folder {target.name}', (part.path, ),
                         partial(_unnest, target, lifted))


def _unnest(target: Path, lifted: Path) -> None:
    """Put a folder in the place of the one around it; stopped after any step, it goes on with the next."""
    if not lifted.exists():
        os.rename(target / target.name, lifted)
    if target.exists():
        target.rmdir()
    os.rename(lifted, target)


def move(source: Path, target: Path) -> None:
    """Move a file or folder; into a folder that is there, what it holds. Equal files that are there are dropped.

    Args:
        source (Path): File or folder; gone afterwards.
        target (Path): Its new path.

    Raises:
        UserError: If another file lies there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        os.rename(source, target)
    elif source.is_dir() and target.is_dir():
        for entry in sorted(os.listdir(source)):
            move(source / entry, target / entry)
        source.rmdir()
    elif source.is_file() and target.is_file() and filecmp.cmp(source, target, shallow=False):
        source.unlink()
    else:
        raise UserError(f'{source} belongs at {target}, where another lies: remove or rename one, nothing is '
                        'overwritten')


def _lift(source: Path, target: Path, root: Path) -> None:
    """Move a part, and remove the folders around its old place that are empty now."""
    move(source, target)
    for folder in source.parents:
        if folder == root or os.listdir(folder):
            break
        folder.rmdir()


def _ends_in(path: Path, names: Sequence[str]) -> bool:
    return [name.casefold() for name in path.parts[-len(names):]] == [name.casefold() for name in names]


def _below(folder: Path, depth: int, skipped: set[Path]) -> Iterator[Path]:
    """Files and folders, down to a depth; those in crowded folders are left out."""
    with os.scandir(folder) as entries:
        paths = sorted(Path(entry.path) for entry in entries if not entry.name.startswith('.'))
    inside = [path for path in paths if path.is_dir() and path not in skipped]
    yield from (path for path in paths if path not in skipped)
    if depth > 0 and len(inside) <= CROWDED:
        for path in inside:
            yield from _below(path, depth - 1, skipped)

