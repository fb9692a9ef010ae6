"""A BERT of transformers 5.20 (random weights, with what it makes of two texts) in our transformer."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lgd_mm.errors import UserError
from lgd_mm.registry import MODELS
from tests.test_models.test_vl.conftest import student

FILE = Path(__file__).with_name('bert.safetensors')
CAPTIONS = dict(type='lgd_mm.VLCaptioning')


@pytest.fixture
def bert(tmp_path):
    """Its weights, and a function that writes them changed."""
    state = load_file(FILE)
    hidden = state.pop('hidden')

    def written(**changes):
        changed = {key: value for key, value in (state | changes).items() if value is not None}
        save_file(changed, tmp_path / 'bert.safetensors')
        return str(tmp_path / 'bert.safetensors')

    return hidden, written


def test_its_outputs_are_ours(words, bert):
    hidden, written = bert
    model = MODELS.build(dict(student(words, CAPTIONS, positions=10), bert=written()))
    model.init_weights()
    texts = torch.tensor([[2, 5, 6, 7, 3, 9, 10, 3], [2, 11, 12, 3, 13, 14, 15, 3]])
    found = model.eval().transformer(texts[:, :5], texts[:, 5:], torch.zeros(2, 0, 10), torch.ones(2, 8, 8).bool())
    torch.testing.assert_close(found.hidden, hidden)


@pytest.mark.parametrize('changes, sentence', [
    ({'bert.encoder.layer.1.output.dense.bias': None}, 'has no encoder.layer.1.output.dense.bias'),
    ({'bert.encoder.layer.2.output.dense.bias': torch.zeros(8)}, 'has encoder.layer.2.output.dense.bias'),
    ({'bert.embeddings.word_embeddings.weight': torch.zeros(30, 8)}, r'is \(30, 8\), and transformer wants \(20, 8\)')])
def test_another_network_is_refused(words, bert, changes, sentence):
    model = MODELS.build(dict(student(words, CAPTIONS), bert=bert[1](**changes)))
    with pytest.raises(UserError, match=sentence):
        model.init_weights()
