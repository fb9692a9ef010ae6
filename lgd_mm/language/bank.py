"""The textual semantics bank, computed once for a teacher and a vocabulary."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.io.cache import cache_folder
from lgd_mm.io.files import replacing
from lgd_mm.language.rows import SAME, check_rows, same_rows, some
from lgd_mm.language.vocabulary import Vocabulary

#: Categories whose prompts are encoded together, by the number of prompts in a batch.
BATCH = 1024
#: Two names that any text encoder tells apart.
PROBES = ('cat', 'steam locomotive')


def textual_bank(encode_text: Callable[[list[str]], Tensor], vocabulary: Vocabulary, cache_key: str) -> Tensor:
    """Mean text embedding of each category over its prompts (paper, Sec. 3).

    Each prompt's embedding is normalised, averaged with the category's others, and normalised again.

    Args:
        encode_text (Callable[[list[str]], Tensor]): Embeds N texts as (N, D).
        vocabulary (Vocabulary): C names and K templates.
        cache_key (str): Identifies the text encoder and its weights; with the vocabulary, it names the file below
            ``$LGD_CACHE_DIR`` (by default ``~/.cache/lgd_mm``) that keeps the bank.

    Returns:
        Tensor: Textual bank (C, D), float32, on the CPU, rows of unit length.

    Raises:
        UserError: If names have the same row, or no name reaches the encoder through a template.
    """
    digest = hashlib.sha256(f'{cache_key} {vocabulary.digest}'.encode()).hexdigest()
    path = cache_folder('textual_banks') / f'{digest}.safetensors'
    bank = _read(path, vocabulary)
    if bank is None or same_rows(bank):  # of a version that did not look
        bank = _encode(encode_text, vocabulary)
        check_rows(bank, vocabulary.categories)
        _write(path, bank, vocabulary)
    return bank


@torch.no_grad()
def _encode(encode_text: Callable[[list[str]], Tensor], vocabulary: Vocabulary) -> Tensor:
    names, templates = vocabulary.categories, vocabulary.templates
    print_log(f'encoding {len(names)} category names in {len(templates)} templates', logger='current')
    step = max(1, BATCH // len(templates))
    rows, first = [], None
    blind = torch.ones(len(templates), dtype=torch.bool)
    for start in range(0, len(names), step):
        prompts = [template.format(name) for name in names[start:start + step] for template in templates]
        embeddings = F.normalize(encode_text(prompts).float().cpu(), dim=1)  # (names x templates, D)
        each = embeddings.unflatten(0, (-1, len(templates)))
        first = each[:1] if first is None else first
        blind &= (each - first).norm(dim=2).amax(dim=0) < SAME
        rows.append(F.normalize(each.mean(dim=1), dim=1))
    if len(names) > 1 and blind.any():
        _check_places(encode_text, [templates[index] for index in blind.nonzero().flatten().tolist()])
    return torch.cat(rows)


def _check_places(encode_text: Callable[[list[str]], Tensor], templates: Sequence[str]) -> None:
    """Refuse templates through which no name reaches the encoder; that all names are the same is no fault of theirs."""
    one, other = (F.normalize(encode_text([each.format(name) for each in templates]).float().cpu(), dim=1)
                  for name in PROBES)
    useless = [each for each, apart in zip(templates, (one - other).norm(dim=1)) if apart < SAME]
    if useless:
        raise UserError(f'templates: {some(useless)} gives all names the same embedding: the text tower does not read '
                        'as far as its {}, so shorten it')


def _metadata(bank: Tensor, vocabulary: Vocabulary) -> dict[str, str]:
    """What a cached bank was made of, and a checksum: safetensors has none of its own."""
    return dict(vocabulary_digest=vocabulary.digest, sha256=hashlib.sha256(bank.numpy().tobytes()).hexdigest())


def _read(path: Path, vocabulary: Vocabulary) -> Tensor | None:
    """The cached bank; None if there is none or the file is damaged."""
    try:
        with safe_open(path, framework='pt') as file:
            bank = file.get_tensor('textual_bank')
            if file.metadata() == _metadata(bank, vocabulary):
                return bank
    except FileNotFoundError:
        return None
    except (SafetensorError, OSError):
        pass
    print_log(f'cached textual bank {path} is damaged and will be computed again', logger='current',
              level=logging.WARNING)
    return None


def _write(path: Path, bank: Tensor, vocabulary: Vocabulary) -> None:
    """Cache the bank; without disk space or permission the run goes on without."""
    try:
        with replacing(path) as part:
            save_file(dict(textual_bank=bank.contiguous()), part, metadata=_metadata(bank, vocabulary))
    except (OSError, SafetensorError) as error:
        print_log(
            f'the textual bank cannot be cached in {path.parent} ({error}); set LGD_CACHE_DIR to a writable folder',
            logger='current', level=logging.WARNING)
