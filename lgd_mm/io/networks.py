"""The network in a checkpoint, however its writer has nested and prefixed it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from lgd_mm.errors import UserError

#: What torch.compile and FSDP put into keys, at any depth.
WRAPPED = re.compile(r'(?:(?<=\.)|^)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.')
#: What data parallel training puts before all keys.
PARALLEL = 'module.'
#: Parts of a checkpoint that hold tensors but no network.
NO_NETWORK = re.compile(r'optim|sched|message_hub|meta$|scaler|rng|loss|criterion|callbacks|hyper|loops', re.IGNORECASE)
#: Begins the path of a checkpoint that mmengine is to read by :func:`find_network`.
SCHEME = 'network:'


class Network(NamedTuple):
    """What was found.

    Attributes:
        state (dict[str, Any]): Tensors by their keys, without what wrappers put before them.
        place (str): The key that holds it; empty if it is the checkpoint itself or its ``state_dict``.
        wrappers (str): What was taken off the keys; empty if nothing was.
    """

    state: dict[str, Any]
    place: str
    wrappers: str

    def __str__(self) -> str:
        place = f'the network is at {self.place!r}' if self.place else ''
        return ', '.join(filter(None, (place, f'{self.wrappers} is taken off its keys' if self.wrappers else '')))


def find_network(checkpoint: Mapping[str, Any], path: object) -> Network:
    """Find the one network of a checkpoint.

    Args:
        checkpoint (Mapping[str, Any]): As it was read.
        path (object): Its file, for messages.

    Returns:
        Network: With all that its part of the checkpoint holds.

    Raises:
        UserError: If there are several.
    """
    if isinstance(checkpoint.get('state_dict'), Mapping):
        place, state = '', checkpoint['state_dict']
    else:
        found = list(_networks(checkpoint, ''))
        largest = max((_tensors(state) for _, state in found), default=0)
        found = [(place, state) for place, state in found if _tensors(state) * 10 > largest]
        if len(found) > 1:
            names = [name for name, _ in found]
            raise UserError(f'{path} holds several networks ({", ".join(names)}): keep the one that is meant alone in '
                            f'a file, such as torch.save(torch.load({str(path)!r}, weights_only=True)'
                            f"{_index(names[0])}, '{names[0]}.pth')")
        place, state = found[0] if found else ('', checkpoint)
    keys = {key: key for key in state}
    taken: list[str] = []
    while True:
        names = [name for key in keys.values() for name in WRAPPED.findall(key)]
        if names:
            taken.append(names[0])
            keys = {key: WRAPPED.sub('', name) for key, name in keys.items()}
        elif keys and all(name.startswith(PARALLEL) for name in keys.values()):
            taken.append(PARALLEL)
            keys = {key: name.removeprefix(PARALLEL) for key, name in keys.items()}
        else:
            break
    if len(set(keys.values())) < len(keys):
        raise UserError(f'{path} has weights twice, with and without {" ".join(taken)}: keep one of each in a file')
    return Network({name: state[key] for key, name in keys.items()}, place, ' '.join(dict.fromkeys(taken)))


def prefix_of(state: Mapping[str, Any], wanted: Mapping[str, Any], path: object) -> str:
    """The prefix before the keys of a network within a larger one, such as ``'encoder_q.'``.

    Args:
        state (Mapping[str, Any]): The larger one's tensors.
        wanted (Mapping[str, Any]): The network's own.
        path (object): The file, for messages.

    Returns:
        str: Empty if most of its keys are there as they are, or nowhere.

    Raises:
        UserError: If several prefixes fit as well.
    """
    bare = {key.rpartition('.')[2] for key in wanted}
    ends: Counter[str] = Counter()
    for key, value in state.items():
        if key.rpartition('.')[2] not in bare:
            continue
        parts = key.split('.')
        for start in range(len(parts)):
            own = wanted.get('.'.join(parts[start:]))
            if own is not None and own.shape == getattr(value, 'shape', None):
                ends['.'.join([*parts[:start], ''])] += 1
    if not ends or 2 * max(ends.values()) < len(wanted):
        return ''
    best = [prefix for prefix, count in ends.items() if count == max(ends.values())]
    if '' in best:
        return ''
    if len(best) > 1:
        raise UserError(f'{path} holds several networks that fit ({", ".join(sorted(best))}): keep the keys of the one '
                        'that is meant alone in a file')
    return best[0]


def register_networks(checkpoint_module: ModuleType) -> None:
    """Let mmengine read ``'network:FILE'`` by :func:`find_network`.

    Args:
        checkpoint_module (ModuleType): ``mmengine.runner.checkpoint``.
    """

    def load_network(filename: str, map_location: Any = None, logger: Any = None) -> dict[str, Any]:
        from lgd_mm.io.safe_load import load_checkpoint_file
        path = filename.removeprefix(SCHEME)
        return dict(state_dict=find_network(load_checkpoint_file(path), path).state)

    checkpoint_module.CheckpointLoader.register_scheme(SCHEME, load_network)


def _networks(node: Mapping[str, Any], at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The parts of a checkpoint that hold more tensors than their own parts."""
    inner = [found for key, child in node.items()
             if isinstance(key, str) and isinstance(child, Mapping) and not NO_NETWORK.search(key)
             for found in _networks(child, f'{at}.{key}'.lstrip('.'))]
    if inner and max(_tensors(state) for _, state in inner) > _tensors(node):
        yield from inner
    elif _tensors(node):
        yield at, node


def _tensors(state: Mapping[str, Any]) -> int:
    return sum(hasattr(value, 'is_floating_point') and isinstance(key, str) for key, value in state.items())


def _index(place: str) -> str:
    return ''.join(f'[{part!r}]' for part in place.split('.'))
