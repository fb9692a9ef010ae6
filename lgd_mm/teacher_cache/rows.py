"""What a teacher cache keeps of a view: 16 bits of each number of its embedding, or 8."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lgd_mm.datasets.views.view import View

#: The last field of a row.
CHECK = [('check', '<u4')]
#: How numbers are kept: ``float16``, or ``int8`` with a scale for each embedding.
PRECISIONS = ('float16', 'int8')


def entry_type(embed_dim: int, checked: bool = True, precision: str = 'float16') -> np.dtype[Any]:
    """Of an entry with embeddings of that width D: 2 D + 60 bytes; D + 64 in int8."""
    kept: list[Any] = [('embedding', '<f2', (embed_dim, ))]
    if precision == 'int8':
        kept = [('embedding', 'i1', (embed_dim, )), ('scale', '<f4')]
    return np.dtype([*kept, ('view', '<f4', (len(View._fields), )), ('picture', '<i8'), *CHECK[:checked]])


def boxes_type(cuts: int, checked: bool = True) -> np.dtype[Any]:
    """Of what was cut out for an image: 20 bytes for each view and crop, and 4."""
    return np.dtype([('crop', '<i4', (cuts, 4)), ('picture', '<i4', (cuts, )), *CHECK[:checked]])


def set_embeddings(entries: NDArray[Any], embeddings: NDArray[np.floating[Any]]) -> None:
    """Keep embeddings in entries. In int8 the largest number of each is 127, and none is off by more than half a step.

    Args:
        entries (np.ndarray): Of :func:`entry_type` (n, ); changed.
        embeddings (np.ndarray): (n, D).
    """
    if 'scale' not in (entries.dtype.names or ()):
        entries['embedding'] = embeddings
        return
    exact = embeddings.astype(np.float32)
    scales = np.abs(exact).max(axis=1) / 127
    entries['scale'] = scales
    entries['embedding'] = np.rint(exact / np.where(scales, scales, 1)[:, None])


def embedding_of(entry: Any) -> NDArray[np.float16]:
    """The embedding of an entry (D, ), or those of entries (n, D)."""
    kept = entry['embedding']
    if 'scale' in entry.dtype.names:
        return np.asarray(kept * np.asarray(entry['scale'])[..., None], np.float16)
    return np.array(kept)
