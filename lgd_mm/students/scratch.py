"""A model that begins at random, whatever weights its config names."""

from collections.abc import Iterator, MutableMapping
from typing import Any

from mmengine.config import Config


def begin_at_random(cfg: Config) -> list[str]:
    """Take out of a config what would load weights into its model; a frozen teacher keeps its own.

    Args:
        cfg (Config): Changed in place: every ``init_cfg`` of type Pretrained, ``pretrained``, ``checkpoint_path``, and
            ``load_from``.

    Returns:
        list[str]: The keys that named weights.
    """
    found = list(_leave_out(cfg.get('model'), 'model'))
    if cfg.get('load_from'):
        cfg.load_from = None
        found.append('load_from')
    return found


def _leave_out(node: Any, key: str) -> Iterator[str]:
    if isinstance(node, (list, tuple)):
        for index, part in enumerate(node):
            yield from _leave_out(part, f'{key}.{index}')
    if not isinstance(node, MutableMapping):
        return
    for name in list(node):
        value, path = node[name], f'{key}.{name}'
        if name == 'init_cfg':
            inits = [value] if isinstance(value, MutableMapping) else list(value or ())
            kept = [init for init in inits if init.get('type') != 'Pretrained']
            if len(kept) < len(inits):
                yield path
                if kept:
                    node[name] = kept
                else:
                    del node[name]  # the class's own way to begin, which None would leave out
        elif name in ('pretrained', 'checkpoint_path') and value:
            yield path
            node[name] = False if value is True else '' if name == 'checkpoint_path' else None
        elif name != 'teacher':
            yield from _leave_out(value, path)
