"""What lies below a folder, whatever its links."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def walk(folder: str | Path, left_out: Callable[[str], bool], strict: bool = False,
         links: bool = True) -> Iterator['os.DirEntry[str]']:
    """Everything below a folder but folders, in the order of the names in each; each folder once, by whichever links it
    is reached, so that links in a circle end, and those that double do not.

    Args:
        folder (str | Path): May be missing: nothing lies below it.
        left_out (Callable[[str], bool]): Whether a folder below it is passed over, by its name.
        strict (bool): Raise for folders that one may not look into; else they are passed over. Defaults to False.
        links (bool): Whether links to folders are followed. Defaults to True.

    Yields:
        os.DirEntry: Also of pipes, devices and links that lead nowhere.

    Raises:
        OSError: If a folder cannot be listed, and ``strict`` is set.
    """
    entered: set[str] = set()
    folders = [(os.fspath(folder), os.path.realpath(folder))]
    while folders:
        parent, real = folders.pop()
        if real in entered or not os.path.isdir(parent):
            continue
        entered.add(real)
        try:
            with os.scandir(parent) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            if strict:
                raise
            continue
        below = []
        for entry in entries:
            if not is_folder(entry):
                yield entry
            elif not left_out(entry.name) and (links or not entry.is_symlink()):
                below.append((entry.path, os.path.realpath(entry.path) if entry.is_symlink() else
                              os.path.join(real, entry.name)))
        folders += reversed(below)


def is_folder(entry: 'os.DirEntry[str]') -> bool:
    """Whether an entry is a folder or leads to one; a link in a circle, or to where one may not look, does not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_file(entry: 'os.DirEntry[str]') -> bool:
    """Whether an entry is a plain file or leads to one, likewise."""
    try:
        return entry.is_file()
    except OSError:
        return False


def is_hidden(name: str) -> bool:
    """Whether a file or folder is one of those that systems hide, such as macOS' ``._NAME``."""
    return name.startswith('.')
