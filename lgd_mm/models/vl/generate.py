"""Captions written word by word: each next word is what stands at a [MASK] behind those before."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from lgd_mm.language.wordpiece import Special
from lgd_mm.models.vl.masks import bidirectional_mask
from lgd_mm.models.vl.transformer import Past


class Written(NamedTuple):
    """Captions of a batch.

    Attributes:
        words (Tensor): Word pieces (B, L) without [CLS]; the first [SEP] ends each, and padding follows it.
        scores (Tensor): Their log-probabilities (B, ), divided by their length with [SEP] where there are beams.
    """

    words: Tensor
    scores: Tensor


class Beams(NamedTuple):
    """Captions that are being written, W for each image.

    Attributes:
        words (Tensor): From [CLS] on (B * W, t).
        pasts (list[Past]): Keys and values of tags, regions and all words but the last.
        sums (Tensor): Log-probabilities (B, W).
        done (Tensor): Which have their [SEP]: bool (B * W, ).
    """

    words: Tensor
    pasts: list[Past]
    sums: Tensor
    done: Tensor


@torch.no_grad()
def generate(model: Any, inputs: dict[str, Any], special: Special, longest: int = 20,
             beams: int = 1) -> Written:
    """Write a caption for each image.

    Tags and regions never see the text, so their keys and values are computed once, and each word costs two tokens:
    itself and a [MASK].

    Args:
        model (VisionLanguageModel): In eval mode, for ``lgd_mm.VLCaptioning``, or for ``lgd_mm.VLPretraining`` with
            ``seq2seq=True``.
        inputs (dict): Those of :meth:`VisionLanguageModel.encode`; what stands in the text is not read.
        special (Special): Word pieces that are no words.
        longest (int): Word pieces with [SEP]. Defaults to 20.
        beams (int): Captions that are followed at a time. Defaults to 1: the likeliest word each time.

    Returns:
        Written: The best of each image.
    """
    transformer, text = model.transformer, inputs['text'].shape[1]
    longest = min(longest, text - 1)
    seen = transformer.embed_context(inputs['tags'], inputs['regions'], text)
    valid = inputs['valid'][:, text:]
    _, pasts = transformer.go_on(seen, bidirectional_mask(valid), None)
    images, device = len(seen), seen.device
    valid = valid.repeat_interleave(beams, dim=0)
    state = Beams(
        words=torch.full((images * beams, 1), special.begin, device=device),
        pasts=_taken(pasts, torch.arange(images, device=device).repeat_interleave(beams)),
        sums=torch.zeros(images, beams, device=device).index_fill_(
            1, torch.arange(1, beams, device=device), float('-inf')),  # all beams begin as one
        done=torch.zeros(images * beams, dtype=torch.bool, device=device))
    for _ in range(longest):
        state = _one_more(model, state, valid, special)
        if state.done.all():
            break
    words = state.words[:, 1:].view(images, beams, -1)
    lengths = (words != special.padding).sum(dim=2)
    scores = state.sums / lengths if beams > 1 else state.sums
    best = scores.argmax(dim=1)
    rows = torch.arange(images, device=device)
    return Written(words[rows, best], scores[rows, best])


def _one_more(model: Any, state: Beams, valid: Tensor, special: Special) -> Beams:
    """Each caption with one word more; one that is done with padding."""
    images, beams = state.sums.shape
    written = state.words.shape[1]
    pair = torch.stack([state.words[:, -1], torch.full_like(state.words[:, -1], special.mask)], dim=1)
    x = model.transformer.embed_text(pair, first=written - 1)
    sees = torch.ones(len(pair), 2, written + 1, dtype=torch.bool, device=pair.device)
    sees[:, 0, -1] = False  # the word does not see the [MASK]
    mask = torch.cat([valid[:, None].expand(-1, 2, -1), sees], dim=2)
    hidden, pasts = model.transformer.go_on(x, mask, state.pasts)
    chances = model.task.words(hidden[:, 1]).float()
    chances[:, special.unwritten] = float('-inf')
    chances = chances.log_softmax(dim=1)
    chances[state.done] = float('-inf')
    chances[state.done, special.padding] = 0.
    total = (state.sums[..., None] + chances.view(images, beams, -1)).flatten(1)
    sums, index = total.topk(beams, dim=1)
    vocabulary = chances.shape[1]
    rows = (index // vocabulary + torch.arange(images, device=index.device)[:, None] * beams).flatten()
    words = index.flatten() % vocabulary
    return Beams(
        words=torch.cat([state.words[rows], words[:, None]], dim=1),
        pasts=_taken([(key[:, :, :-1], value[:, :, :-1]) for key, value in pasts], rows),
        sums=sums,
        done=state.done[rows] | (words == special.end))


def _taken(pasts: list[Past], rows: Tensor) -> list[Past]:
    return [(key[rows], value[rows]) for key, value in pasts]
