"""Which part of a set, to train with or to measure by, a file or a folder is, by the words in its name."""

import re
from collections.abc import Iterable

TRAIN, VAL, TEST = 'train', 'val', 'test'
#: Words that say which part it is.
WORDS = {'train': TRAIN, 'training': TRAIN, 'trainset': TRAIN, 'val': VAL, 'valid': VAL, 'validation': VAL, 'dev': VAL,
         'eval': VAL, 'test': TEST, 'testing': TEST}


def split_of(name: str) -> str | None:
    """Which part a file or folder is.

    Args:
        name (str): Such as ``'instances_val2017.json'``.

    Returns:
        str, optional: ``'train'``, ``'val'`` or ``'test'``; None if it says none, or more than one.
    """
    found = {WORDS[word] for word in re.findall('[a-z]+', name.lower()) if word in WORDS}
    return found.pop() if len(found) == 1 else None


def part_of(names: Iterable[str]) -> str | None:
    """Which part something is of, by the first name that says one.

    Args:
        names (Iterable[str]): Such as those of the folders that it lies in.

    Returns:
        str, optional: ``'train'``, ``'val'`` or ``'test'``.
    """
    return next(filter(None, map(split_of, names)), None)
