"""The checkpoints that a checkpoint names: a run that goes on removes them once it has newer ones."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError

#: Steps have no more digits.
MOST = 2**63
CURE = 'no training wrote that; give another checkpoint as --resume FILE, or begin a new run'


def check_kept(info: Mapping[str, Any], path: str) -> None:
    """See that the checkpoints that are kept for a while are named by whole numbers: their paths are made of these.

    Args:
        info (Mapping[str, Any]): ``runtime_info`` of a checkpoint's message hub.
        path (str): Of the checkpoint; named in the error.

    Raises:
        UserError: If they are anything else.
    """
    kept = info.get('keep_ckpt_ids', [])
    if not isinstance(kept, (list, tuple)) or not all(type(step) is int and 0 <= step < MOST for step in kept):
        raise UserError(f'{path} says that the checkpoints of steps {str(kept)[:60]} are kept, where steps are whole '
                        f'numbers: {CURE}')


def best_in(folder: str, suffix: str, info: Mapping[str, Any], key: str, path: str) -> str | None:
    """The best checkpoint so far, in the run's own folder: that of a copied run is in the copy.

    Args:
        folder (str): Of the run's checkpoints.
        suffix (str): Ending of their names.
        info (Mapping[str, Any]): ``runtime_info`` of a checkpoint's message hub.
        key (str): Of the best checkpoint in it.
        path (str): Of the checkpoint; named in the error.

    Returns:
        str, optional: None if there is none.

    Raises:
        UserError: If it names any other file, or its figure is no number.
    """
    told, figure = info.get(key), info.get(key.replace('ckpt', 'score', 1), 0.)
    try:
        float(figure)
        odd = isinstance(figure, str)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        odd = True
    if odd:
        raise UserError(f'{path} says that the best figure so far is {str(figure)[:60]!r}, which is no number: {CURE}')
    if told is None:
        return None
    name = Path(told).name if isinstance(told, str) else ''
    if not name.startswith('best_') or not name.endswith(suffix) or '\0' in name:
        raise UserError(f'{path} says that the best checkpoint so far is {str(told)[:200]!r}, where one is named '
                        f'best_*{suffix}: {CURE}')
    own = Path(folder, name)
    return str(own) if own.is_file() else None
