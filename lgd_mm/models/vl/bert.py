"""Weights of BERT and its kin (MiniLM, ...) in the names of our transformer."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from lgd_mm.errors import UserError

#: Ours, and BERT's below its prefix.
EMBEDDINGS = {
    'words.weight': 'embeddings.word_embeddings.weight',
    'places.weight': 'embeddings.position_embeddings.weight',
    'segments.weight': 'embeddings.token_type_embeddings.weight',
    'norm.weight': 'embeddings.LayerNorm.weight',
    'norm.bias': 'embeddings.LayerNorm.bias',
}
#: The same within ``blocks.N.`` and ``encoder.layer.N.``.
BLOCK = {
    'out': 'attention.output.dense',
    'norm1': 'attention.output.LayerNorm',
    'mlp.0': 'intermediate.dense',
    'mlp.2': 'output.dense',
    'norm2': 'output.LayerNorm',
}
#: What is read from the tokens, for other tasks than ours, and a buffer of older files.
LEFT = re.compile(r'(cls|pooler|classifier|qa_outputs)\.|embeddings\.position_ids$')
#: Ours that no text teaches.
NEW = ('regions.', 'region_norm.')


def from_bert(state: Mapping[str, Tensor], own: Mapping[str, Tensor], path: str) -> dict[str, Tensor]:
    """A transformer's parameters from those of BERT; those of regions stay as they are.

    Args:
        state (Mapping[str, Tensor]): Of a file of BERT's kind, with the names of Google's or of transformers.
        own (Mapping[str, Tensor]): Of a :class:`lgd_mm.models.vl.transformer.VLTransformer`. Its table of places may be
            shorter.
        path (str): Of the file, for messages.

    Returns:
        dict[str, Tensor]: All of ``own``.

    Raises:
        UserError: If a parameter is missing, of another shape, or not known.
    """
    theirs = {key.removeprefix('bert.').replace('.gamma', '.weight').replace('.beta', '.bias'): value
              for key, value in state.items()}
    filled, used = {}, set()
    for key, value in own.items():
        if key.startswith(NEW):
            filled[key] = value
            continue
        sources = _sources(key)
        missing = next((source for source in sources if source not in theirs), None)
        if missing is not None:
            raise UserError(f'{path} has no {missing}, which BERT has: give the weights of a BERT as deep as '
                            'transformer.depth says')
        used.update(sources)
        found = torch.cat([theirs[source] for source in sources])
        if key == 'places.weight':
            found = found[:len(value)]
        if found.shape != value.shape:
            raise UserError(f'{sources[0]} in {path} is {tuple(found.shape)}, and transformer wants '
                            f'{tuple(value.shape)}: set its width, depth and vocabulary to those of the file')
        filled[key] = found
    unknown = next((key for key in theirs if key not in used and not LEFT.match(key)), None)
    if unknown is not None:
        raise UserError(f'{path} has {unknown}, for which there is no place: give the weights of a BERT as deep as '
                        'transformer.depth says')
    return filled


def _sources(key: str) -> list[str]:
    """Parameters of BERT that ours is made of, one below the other."""
    if key in EMBEDDINGS:
        return [EMBEDDINGS[key]]
    _, number, rest = key.split('.', 2)
    part, kind = rest.rsplit('.', 1)
    layer = f'encoder.layer.{number}.'
    if part == 'qkv':
        return [f'{layer}attention.self.{name}.{kind}' for name in ('query', 'key', 'value')]
    return [f'{layer}{BLOCK[part]}.{kind}']
