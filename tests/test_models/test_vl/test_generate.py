"""Captions word by word, against the same computed without a memory, and against all captions that there are."""

import itertools

import pytest
import torch

from lgd_mm.language.wordpiece import Special
from lgd_mm.models.vl.generate import generate
from tests.test_models.test_vl.conftest import TEXT, batch

SPECIAL = Special(0, 1, 2, 3, 4)


def next_words(model, inputs, row, written):
    """Log-probabilities of what follows, by one pass over the whole sequence, as in training."""
    one = {key: value[row:row + 1].clone() for key, value in inputs.items()}
    words = [2, *written, 4]
    one['text'][0] = 0
    one['text'][0, :len(words)] = torch.tensor(words)
    one['valid'][0, :TEXT] = torch.arange(TEXT) < len(words)
    logits = model.task.words(model.encode(one).hidden[0, len(words) - 1])
    logits[SPECIAL.unwritten] = float('-inf')
    return logits.log_softmax(dim=0)


@torch.no_grad()
def test_the_likeliest_word_each_time(captioner):
    inputs, _ = batch()
    written = generate(captioner, inputs, SPECIAL, longest=4)
    for row in range(3):
        words, score = [], 0.
        while len(words) < 4 and 3 not in words:
            chances = next_words(captioner, inputs, row, words)
            words.append(int(chances.argmax()))
            score += float(chances.max())
        found = [word for word in written.words[row].tolist() if word]
        assert found == words
        assert float(written.scores[row]) == pytest.approx(score, abs=1e-4)


@torch.no_grad()
def test_beams_that_hold_everything_find_the_best(captioner):
    """With as many beams as captions, the best of all captions by their definition."""
    inputs, _ = batch()
    with torch.no_grad():
        captioner.task.words.bias[8:] = -1e4  # words are 5, 6, 7 and [SEP]
    written = generate(captioner, inputs, SPECIAL, longest=3, beams=40)
    captions = {()}
    for length in range(1, 4):
        captions |= {(*words, 3) for words in itertools.product((5, 6, 7), repeat=length - 1)}
    captions |= set(itertools.product((5, 6, 7), repeat=3))
    captions -= {()}
    for row in range(3):
        scores = {}
        for caption in captions:
            steps = [float(next_words(captioner, inputs, row, caption[:index])[word])
                     for index, word in enumerate(caption)]
            scores[caption] = sum(steps) / len(steps)
        best = max(scores, key=scores.get)
        assert tuple(word for word in written.words[row].tolist() if word) == best
        assert float(written.scores[row]) == pytest.approx(scores[best], abs=1e-4)


def test_nothing_follows_the_end_and_no_special_piece_is_written(captioner):
    inputs, _ = batch(6, seed=3)
    written = generate(captioner, inputs, SPECIAL, longest=5, beams=3).words
    assert not torch.isin(written, torch.tensor([1, 2, 4])).any()
    for row in written.tolist():
        if 3 in row:
            assert not any(row[row.index(3) + 1:])
