"""Parts of sentences to a user: what a misspelt name was meant to be, some of many names, why something failed."""

import itertools
from collections.abc import Collection, Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names, as the middle of a sentence.

    Args:
        name (str): As the user wrote it.
        known (Iterable[str]): What there is.

    Returns:
        str: ``"did you mean 'a' or 'b'? "``, empty if none is near.
    """
    candidates = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(name.casefold(), candidates, n=3, cutoff=0.6)
    return f'did you mean {" or ".join(repr(candidates[match]) for match in near)}? ' if near else ''


def there_are(name: str, known: Collection[str]) -> str:
    """What a name may be, to end the sentence that refuses it.

    Args:
        name (str): As the user wrote it.
        known (Collection[str]): What there is.

    Returns:
        str: ``"did you mean 'a'? there are a, b"``.
    """
    return f'{did_you_mean(name, known)}there are {", ".join(known)}'


def some(texts: Collection[str], most: int = 5, between: str = ', ') -> str:
    """The first of many texts, and how many more there are.

    Args:
        texts (Collection[str]): All of them, in their order.
        most (int): How many are shown. Defaults to 5.
        between (str): What stands between two. Defaults to ``', '``.

    Returns:
        str: ``'a, b and 3 more'``.
    """
    more = f' and {len(texts) - most} more' if len(texts) > most else ''
    return between.join(itertools.islice(texts, most)) + more


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or its type if it says nothing.

    Args:
        error (BaseException): Of any library; the message of a ``KeyError`` comes without the quotes of its key.
    """
    message = error.args[0] if isinstance(error, KeyError) and error.args else error
    return (str(message).strip().splitlines() or [type(error).__name__])[0]
