"""What a model predicts, and which checkpoints fit it."""

import pytest
import torch
from mmpretrain.structures import DataSample

from lgd_mm.errors import UserError
from lgd_mm.registry import MODELS
from tests.test_models.test_vl.conftest import batch, student


def test_captions_are_texts(captioner):
    inputs, _ = batch()
    samples = captioner(inputs, data_samples=[DataSample() for _ in range(3)], mode='predict')
    from lgd_mm.models.vl.generate import generate
    written = generate(captioner, inputs, captioner.pieces.special).words.tolist()
    assert [sample.pred_caption for sample in samples] == [captioner.pieces.text(words) for words in written]
    assert all(set(sample.pred_caption) <= set('abcdefghijklmno ') for sample in samples)


def test_answers_are_those_of_the_list(words):
    torch.manual_seed(0)
    model = MODELS.build(student(words, dict(type='lgd_mm.VLAnswering'))).eval()
    inputs, _ = batch()
    best = model.task.answers(model.encode(inputs).hidden).argmax(dim=1)
    found = [sample.pred_answer for sample in model(inputs, mode='predict')]
    assert found == [['yes', 'no', '1', '2', 'red'][index] for index in best]


def test_a_checkpoint_fits_its_own_words_alone(words):
    task = dict(type='lgd_mm.VLAnswering')
    state = MODELS.build(student(words, task)).state_dict()
    MODELS.build(student(words, task)).load_state_dict(state)
    with pytest.raises(UserError, match='trained with other word pieces'):
        MODELS.build(student(words, task, vocabulary='other.txt')).load_state_dict(state)
    (words / 'answers.txt').write_text('yes\nno\n1\n2\nblue\n')
    with pytest.raises(UserError, match='trained with other answers'):
        MODELS.build(student(words, task)).load_state_dict(state)
