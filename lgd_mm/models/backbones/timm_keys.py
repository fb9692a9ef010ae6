"""One network of timm has other keys in each of its forms."""

from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar('Value')
#: What stands before all keys of a network within another: of a backbone, and of timm's ways to take maps from it.
AROUND = ('timm_model.', 'model.', 'body.')


def in_form_of(own: Mapping[str, object], weights: Mapping[str, Value]) -> dict[str, Value]:
    """Give the weights of a timm network the keys that another form of it has: ``stages.0.conv.weight`` of the plain
    network is ``stages_0.conv.weight`` where maps are taken between its stages, and ``model.stages.0.conv.weight``
    where the network is asked for them.

    Args:
        own (Mapping[str, object]): The wanted form's state, or what has its keys.
        weights (Mapping[str, Value]): The other form's.

    Returns:
        dict[str, Value]: The same in the same order; keys that the wanted form lacks stay.
    """
    names, given = _by_place(own), _by_place(weights)
    if any(len(set(each.values())) < len(each) for each in (names, given)):
        return dict(weights)  # places that are written alike: no other form of it is known
    wanted = {place: key for key, place in names.items()}
    return {wanted.get(place, key): weights[key] for key, place in given.items()}


def _by_place(weights: Mapping[str, object]) -> dict[str, str]:
    """Each key, and the place in the network that it is of."""
    keys = {key: key for key in weights}
    for prefix in AROUND:
        if keys and all(place.startswith(prefix) for place in keys.values()):
            keys = {key: place.removeprefix(prefix) for key, place in keys.items()}
    # A flattened module is called by its path with underscores, which its parts may have, too.
    return {key: place.replace('.', '_') for key, place in keys.items()}
