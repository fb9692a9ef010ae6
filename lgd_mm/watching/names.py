"""Which of a run's category names a class folder means."""

from collections.abc import Sequence

from lgd_mm.console.words import some


def numbers_of(folders: Sequence[str], names: Sequence[str]) -> list[int | None]:
    """The place of each folder's name among the names.

    Args:
        folders (Sequence[str]): Names of class folders.
        names (Sequence[str]): Category names of a pre-training.

    Returns:
        list[int | None]: For each folder; None if no category is called so. Capitals do not count, and a name may be
        written with ``_`` for a space.
    """
    places = {_plain(name): number for number, name in reversed(list(enumerate(names)))}
    return [places.get(_plain(folder)) for folder in folders]


def no_zero_shot(folders: Sequence[str], names: Sequence[str]) -> str | None:
    """Why the zero-shot accuracy cannot be measured on class folders; None if it can.

    Args:
        folders (Sequence[str]): Names of those that hold images.
        names (Sequence[str]): Category names of a pre-training; empty for a method without names.
    """
    if not names:
        return 'the method learns no names'
    if not folders:
        return 'there are no class folders'
    unknown = [folder for folder, number in zip(folders, numbers_of(folders, names)) if number is None]
    return f'no category of the run is called {some(unknown)}, as class folders are' if unknown else None


def no_neighbours(folders: Sequence[str]) -> str | None:
    """Why the k-NN accuracy cannot be measured on class folders; None if it can.

    Args:
        folders (Sequence[str]): Names of those that hold images.
    """
    if len(folders) > 1:
        return None
    return f'there is one class alone, {folders[0]}' if folders else 'there are no class folders'


def _plain(name: str) -> str:
    return ' '.join(name.replace('_', ' ').casefold().split())
