"""One engine for all data sets: unpack, repair, look, and tell."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.console.words import some
from lgd_mm.errors import UserError
from lgd_mm.io.lock import alone
from lgd_mm.preparation.archives import find_archive, unpack, verify
from lgd_mm.preparation.catalogue import SPECS
from lgd_mm.preparation.checks import check_part, foreign_classes, is_filled, is_required, rests_on
from lgd_mm.preparation.links import refuse_links
from lgd_mm.preparation.repairs import layout_repairs
from lgd_mm.preparation.spec import Archive, DatasetSpec, Pictures, Repair
from lgd_mm.preparation.subsets import LISTS, differing_lists, write_lists
from lgd_mm.preparation.tree import Tree

LOCK = '.prepare.lock'


def prepare(spec: DatasetSpec, root: str | Path, check: bool = False,
            tell: Callable[[str], None] = print_rank0) -> bool:
    """Bring a data set into the layout the configs expect, and look at it.

    Everything may be stopped at any moment and run again. Nothing is downloaded, and no file is overwritten.

    Args:
        spec (DatasetSpec): What it should be, from ``SPECS``.
        root (str | Path): Folder of the data set; the archives lie there or in its sub-folder ``downloads``.
        check (bool): Only look. Defaults to False.
        tell (Callable): Takes each line of the report. Defaults to :func:`lgd_mm.console.rank_zero.print_rank0`.

    Returns:
        bool: Whether it is whole.

    Raises:
        UserError: If the root is missing or holds another data set, if unpacking or a repair is impossible or would
            change what a link below the root leads to, or if another process prepares the same root.
    """
    root = Path(root)
    try:
        if not root.is_dir():
            raise UserError(f'{root} is no folder: give that of {spec.title}, or make it and put the archives there')
        with nullcontext() if check else _alone(root):
            return _prepare(spec, root, check, tell)
    except OSError as error:
        raise UserError(f'{error.filename or root} cannot be read or changed ({error.strerror}): free disk space or '
                        'correct the permissions there; the same command goes on') from error


def _prepare(spec: DatasetSpec, root: Path, check: bool, tell: Callable[[str], None]) -> bool:
    tree, folders = Tree(spec.tree(root)), spec.archive_folders(root)
    _refuse_others(spec, tree)
    _refuse_parent(spec, Tree(root))
    pending = []
    if check:
        pending = [*layout_repairs(tree, spec, folders), *_own_repairs(spec, tree, folders)]
    else:
        _repair(layout_repairs(tree, spec, folders), tree, tell)
        _unpack_all(spec, tree, folders, tell)
        _repair(_own_repairs(spec, tree, folders), tree, tell)
    problems = list(_problems(spec, tree, {path for repair in pending for path in repair.parts}))
    for repair in pending:
        tell(f'wrong: {repair.problem}; without --check this is repaired')
    for problem in problems:
        tell(f'wrong: {problem}')
    _tell_downloads(spec, tree, folders, check, tell, {path for repair in pending for path in repair.parts})
    for path, source in spec.beside.items():
        if not (tree / path).exists():
            tell(f'not there yet: {os.path.normpath(tree / path)}, which the configs read: {source}')
    if pending or problems:
        return False
    if spec.subsets:
        _lists(spec, tree, check, tell)
    tell(f'whole: {spec.title} in {tree.root}')
    return True


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Keep others out: two that unpack the same archive write the same files."""
    if not os.access(root, os.W_OK):  # what is whole may be looked at where nothing can be written
        yield
        return
    with alone(root / LOCK, f'prepares {root}: wait until it has ended, then run this again'):
        yield


def recognise(root: Path) -> DatasetSpec | None:
    """The data set of which a folder holds all folders, with classes of the right form."""
    for spec in SPECS.values():
        tree = Tree(spec.tree(root))
        if all((tree / part.path).exists() and not foreign_classes(part, tree, part.path) for part in spec.parts):
            return spec
    return None


def _refuse_others(spec: DatasetSpec, tree: Tree) -> None:
    """Raise if this is clearly another data set."""
    foreign = [part.path for part in spec.parts if foreign_classes(part, tree, part.path)]
    if not foreign and any((tree / part.path).exists() for part in spec.parts):
        return
    other = recognise(tree.root if tree.root.is_dir() else tree.root.parent)
    if other and other.name not in (spec.name, 'folder', *spec.shares):
        raise UserError(f'{tree.root} holds {other.title}, not {spec.title}: give another folder, or prepare it as '
                        f'{other.name}')
    if foreign:
        raise UserError(f'{tree / foreign[0]} holds no class of {spec.title}: give the folder of {spec.title}')


def _refuse_parent(spec: DatasetSpec, tree: Tree) -> None:
    """Raise if the data set lies beside other folders: it is not to be moved out of its own."""
    folders, here = tree.subfolders(''), spec.tree(tree.root)
    for name in folders:
        inner = spec.tree(tree / name)
        # A class may have the name of a part, as train has among vehicles.
        if inner != here and set(folders) - {name, 'downloads'} and _holds(spec, inner) and not _holds(spec, here):
            raise UserError(f'{spec.title} lies in {inner}: give this folder instead of {tree.root}')


def _holds(spec: DatasetSpec, folder: Path) -> bool:
    """Whether all parts that must be there are."""
    return all((folder / part.path).exists() for part in spec.parts if is_required(part))


def _unpack_all(spec: DatasetSpec, tree: Tree, folders: list[Path], tell: Callable[[str], None]) -> None:
    for archive in _needed(spec, tree):
        path = find_archive(archive, folders)
        if path is not None and archive.members:
            refuse_links(folders[0], tree.root)
            verify(archive, path)
            folders_moved_to = archive.fills if archive.moved else ()
            moved = {name.rpartition('/')[2] for folder in folders_moved_to for name in tree.files(folder)}
            written = unpack(archive, path, tree.root, moved)
            tree.forget()
            tell(f'unpacked: {written:,} files of {path}')


def _needed(spec: DatasetSpec, tree: Tree) -> list[Archive]:
    """Archives of parts that are not all there."""
    return [archive for archive in spec.archives if not all(is_filled(spec.part(path), tree) for path in archive.fills)]


def _own_repairs(spec: DatasetSpec, tree: Tree, folders: list[Path]) -> Iterator[Repair]:
    for find in spec.repairs:
        yield from find(tree, spec, folders)


def _repair(repairs: Iterator[Repair], tree: Tree, tell: Callable[[str], None]) -> None:
    for repair in repairs:
        repair.run()
        tree.forget()
        tell(f'repaired: {repair.problem}')


def _problems(spec: DatasetSpec, tree: Tree, repairable: set[str]) -> Iterator[str]:
    if not repairable and not any((tree / part.path).exists() for part in spec.parts):
        yield f'{tree.root} holds nothing of {spec.title}'
        return
    for part in spec.parts:
        if not {part.path, *rests_on(part, spec)} & repairable:
            yield from check_part(part, tree)
    if spec.subsets and not {'train', 'val'} & repairable:
        different = set(tree.subfolders('train')) ^ set(tree.subfolders('val'))
        if different and (tree / 'val').exists():
            yield (f'val has other classes than train, which would shift the labels: give both the same sub-folders '
                   f'({some(sorted(different))})')
        yield from differing_lists(tree, _suffixes(spec))


def _lists(spec: DatasetSpec, tree: Tree, check: bool, tell: Callable[[str], None]) -> None:
    """The lists are made here, so the data set is whole without them."""
    if check:
        for path in LISTS:
            if not (tree / path).exists():
                tell(f'not there yet: {path}; without --check it is written')
    else:
        for path in write_lists(tree, _suffixes(spec)):
            tell(f'written: {path}')


def _suffixes(spec: DatasetSpec) -> tuple[str, ...]:
    train = spec.part('train')
    assert isinstance(train, Pictures)  # of a data set with subsets
    return tuple(train.suffixes)


def _tell_downloads(spec: DatasetSpec, tree: Tree, folders: list[Path], check: bool, tell: Callable[[str], None],
                    repairable: set[str]) -> None:
    missing = [archive for archive in _needed(spec, tree) if archive.required
               and find_archive(archive, folders) is None
               and not all(path in repairable or is_filled(spec.part(path), tree) for path in archive.fills)]
    if missing:
        tell(f'to download into {folders[0]}, then run the {"command without --check" if check else "same command"}:')
        for archive in missing:
            md5 = f', MD5 {archive.md5}' if archive.md5 else ''
            tell(f'  {archive.name} ({archive.size}{md5}) from {archive.url}')
        if spec.note:
            tell(f'  {spec.note}')
