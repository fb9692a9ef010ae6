"""Class-balanced parts of a labelled set, as list files that mmpretrain's data sets read."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from lgd_mm.io.files import write_text
from lgd_mm.io.texts import read_text
from lgd_mm.preparation.links import refuse_links
from lgd_mm.preparation.tree import Tree

#: Shares of the labels in the usual probes; each list is part of the larger ones.
LISTS = {'meta/train_10percent.txt': 0.1, 'meta/train_1percent.txt': 0.01}


def drawn(names: Iterable[str], seed: int = 0) -> list[str]:
    """Names in a random order that depends on nothing but the seed and the name itself.

    Args:
        names (Iterable[str]): In any order.
        seed (int): Defaults to 0.

    Returns:
        list[str]: By the SHA-256 of ``'<seed> <name>'``: the same on every machine and with every version.
    """
    return sorted(names, key=lambda name: hashlib.sha256(f'{seed} {name}'.encode()).digest())


def balanced_subset(samples: Sequence[tuple[str, int]], fraction: float, seed: int = 0) -> list[tuple[str, int]]:
    """As many samples of each class, a fraction of all together, as in SimCLR's semi-supervised evaluation
    (`arXiv 2002.05709 <https://arxiv.org/abs/2002.05709>`_, section 4.2).

    A smaller fraction with the same seed is part of a larger one.

    Args:
        samples (Sequence[tuple[str, int]]): Name and label of each.
        fraction (float): Above 0, up to 1.
        seed (int): Defaults to 0.

    Returns:
        list[tuple[str, int]]: Sorted by label and name. Of each of the C classes round(fraction x samples / C), at
            least one; all of a class that has fewer.

    Raises:
        ValueError: If the fraction is not in (0, 1].
    """
    if not 0 < fraction <= 1:
        raise ValueError(f'fraction is {fraction}: give one above 0 and up to 1')
    classes: dict[int, list[str]] = defaultdict(list)
    for name, label in samples:
        classes[label].append(name)
    each = max(1, round(fraction * len(samples) / max(1, len(classes))))
    return [(name, label) for label, names in sorted(classes.items()) for name in sorted(drawn(names, seed)[:each])]


def labelled(tree: Tree, folder: str, suffixes: tuple[str, ...]) -> list[tuple[str, int]]:
    """Images of a folder with one sub-folder for each class.

    Args:
        tree (Tree): The data set.
        folder (str): E.g. ``'train'``.
        suffixes (tuple[str, ...]): Endings of the images, in lower case.

    Returns:
        list[tuple[str, int]]: ``<class>/<file>`` and the class's place among the sorted sub-folders, which is how
            mmpretrain and torchvision number them.
    """
    label = {name: index for index, name in enumerate(tree.subfolders(folder))}
    return [(name, label[name.split('/')[0]]) for name in tree.with_suffix(folder, suffixes) if '/' in name]


def list_texts(tree: Tree, suffixes: tuple[str, ...]) -> dict[str, str]:
    """What each list file says of the images in ``train``."""
    samples = labelled(tree, 'train', suffixes)
    return {path: ''.join(f'{name} {label}\n' for name, label in balanced_subset(samples, fraction))
            for path, fraction in LISTS.items()}


def write_lists(tree: Tree, suffixes: tuple[str, ...]) -> list[str]:
    """Write the list files that are not there.

    Returns:
        list[str]: Paths of those written.

    Raises:
        UserError: If a link leads there.
    """
    written = []
    for path, text in list_texts(tree, suffixes).items():
        if not (tree / path).exists():
            refuse_links(tree.root, tree / path)
            (tree / path).parent.mkdir(exist_ok=True)
            write_text(tree / path, text)
            written.append(path)
    return written


def differing_lists(tree: Tree, suffixes: tuple[str, ...]) -> list[str]:
    """One sentence for each list file that is not of the images in ``train``."""
    if not any((tree / path).is_file() for path in LISTS):
        return []  # a million names take seconds to draw
    texts = list_texts(tree, suffixes)
    return [f'{path} is not the list of these images with seed 0: remove it to have it written anew'
            for path, text in texts.items() if (tree / path).is_file() and read_text(tree / path) != text]
