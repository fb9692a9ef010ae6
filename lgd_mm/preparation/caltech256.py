"""Caltech-256 comes as one folder; what is training and what validation is drawn here."""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from lgd_mm.preparation.links import refuse_links
from lgd_mm.preparation.repairs import move
from lgd_mm.preparation.spec import DatasetSpec, Pictures, Repair
from lgd_mm.preparation.subsets import drawn
from lgd_mm.preparation.tree import Tree

#: The folder in the archive.
WHOLE = '256_ObjectCategories'
#: Images of each class for training, the largest number in Griffin, Holub and Perona's report; the others validate.
TRAIN_PER_CLASS = 60
#: Anything else, which is no class.
CLUTTER = '257.clutter'


def split(tree: Tree, spec: DatasetSpec, folders: Sequence[Path]) -> Iterator[Repair]:
    """Images not yet drawn for training or validation.

    Args:
        tree (Tree): The data set.
        spec (DatasetSpec): Caltech-256's.
        folders (Sequence[Path]): The user's root first.

    Yields:
        Repair: Moves them into ``train`` and ``val``, 60 of each class into the first, drawn with seed 0. What
            is drawn depends on the names alone, so a stop in between changes nothing.

    Raises:
        UserError: If they lie behind a link, or would come to lie there.
    """
    names = [name for name in tree.with_suffix(WHOLE, ('.jpg', )) if not name.startswith(f'{CLUTTER}/')]
    everything = {*names, *tree.with_suffix('train', ('.jpg', )), *tree.with_suffix('val', ('.jpg', ))}
    # Drawn from fewer, as after a stopped unpacking, other images would train.
    if names and len(everything) == sum(part.count or 0 for part in spec.parts if isinstance(part, Pictures)):
        classes = {name.split('/')[0] for name in names}
        refuse_links(folders[0], *(tree / part / name for part in (WHOLE, 'train', 'val') for name in classes))
        yield Repair(f'{len(names):,} images in {WHOLE} are not divided into train and val', ('train', 'val'),
                     partial(_move, tree, names, everything))


def _move(tree: Tree, names: Sequence[str], everything: set[str]) -> None:
    for folder in sorted({name.split('/')[0] for name in names}):
        order = drawn(name for name in everything if name.startswith(f'{folder}/'))
        train = set(order[:TRAIN_PER_CLASS])
        for name in order:
            if (tree / WHOLE / name).exists():
                move(tree / WHOLE / name, tree / ('train' if name in train else 'val') / name)
        if not os.listdir(tree / WHOLE / folder):
            (tree / WHOLE / folder).rmdir()
    if not os.listdir(tree / WHOLE):
        (tree / WHOLE).rmdir()
