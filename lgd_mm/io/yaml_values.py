"""How much a YAML text is, once the values that it repeats by a name (``*name``) count as often as they stand there."""

from typing import Any, AnyStr

#: Values of one text.
VALUES = 1_000_000


def without_merges(text: AnyStr) -> AnyStr:
    """A text as it came, once it merges no mappings: they are copied where they are read, and ten lines may take all
    memory.

    Raises:
        ValueError: If it does.
    """
    if ('<<' in text) if isinstance(text, str) else (b'<<' in text):
        raise ValueError('it merges mappings (<<), which is not read')
    return text


def count_values(content: Any) -> None:
    """See that what was read repeats itself no further than it may be gone through.

    Raises:
        ValueError: If there are more than :data:`VALUES`.
    """
    _count(content, {})


def _count(node: Any, known: dict[int, int]) -> int:
    """Values in a node, each as often as it would be visited; the same node is counted once."""
    children = [*node.keys(), *node.values()] if isinstance(node, dict) else node if isinstance(node, list) else []
    if id(node) not in known:
        known[id(node)] = VALUES + 1  # of a node within itself
        known[id(node)] = 1 + sum(_count(child, known) for child in children)
    if known[id(node)] > VALUES:
        raise ValueError(f'it repeats itself more than {VALUES:,} times')
    return known[id(node)]
