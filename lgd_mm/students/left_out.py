"""What a fine-tuned network has beside its backbone, and what takes the whole of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgd_mm.students.file import PREFIX

#: Each library's own way from a config and a checkpoint to predictions.
INFERENCERS = dict(mmdet='mmdet.apis.DetInferencer', mmseg='mmseg.apis.MMSegInferencer',
                   mmpretrain='mmpretrain.ImageClassificationInferencer')


def left_out(state: Mapping[str, Any], config: Mapping[str, Any], path: str | Path) -> str | None:
    """Say what an export of the backbone leaves out.

    Args:
        state (Mapping[str, Any]): Tensors of the network by their keys.
        config (Mapping[str, Any]): Of its training; empty if it is not recorded.
        path (str | Path): The file.

    Returns:
        str, optional: One sentence; None for a bare backbone, or a pre-training, whose other parts only train it.
    """
    model = config.get('model') or {}
    bare = not any(key.startswith(PREFIX) for key in state)
    parts = dict.fromkeys(key.partition('.')[0] for key in state if '.' in key)
    others = [part for part in parts if part not in ('backbone', 'data_preprocessor')]
    if bare or not others or 'teacher' in model or 'lgka' in parts:
        return None
    kind = str(model.get('type') or 'network').rpartition('.')[2]
    taker = INFERENCERS.get(config.get('default_scope') or '')
    whole = f'; {taker} takes the whole network, by its config and {Path(path).name}' if taker else ''
    return f'Only the backbone of a {kind}, with its fine-tuned weights, without {", ".join(others)}{whole}.'
