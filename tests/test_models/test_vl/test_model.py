"""What a model predicts, and which checkpoints fit it."""

import pytest
import torch
from mmpretrain.structures import DataSample

from lgd_mm.errors import UserError
from lgd_mm.io.files import save_torch
from lgd_mm.models.vl.weights import write_model
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


def test_another_task_begins_with_the_transformer(words, tmp_path):
    torch.manual_seed(0)
    captions, answers = dict(type='lgd_mm.VLCaptioning'), dict(type='lgd_mm.VLAnswering')
    trained = MODELS.build(student(words, captions))
    for parameter in trained.parameters():
        torch.nn.init.normal_(parameter)
    write_model(trained, dict(type='x'), 7, tmp_path / 'student.safetensors')
    save_torch(tmp_path / 'epoch_1.pth', dict(meta={}, state_dict={
        f'student.{key}': value for key, value in trained.state_dict().items()} | {'queue.position': torch.tensor(0)}))
    for file in ('student.safetensors', 'epoch_1.pth'):
        same = MODELS.build(dict(student(words, captions), weights=str(tmp_path / file)))
        same.init_weights()
        assert not same.anew
        assert all(torch.equal(value, trained.state_dict()[key]) for key, value in same.state_dict().items())
    other = MODELS.build(dict(student(words, answers), weights=str(tmp_path / 'student.safetensors')))
    other.init_weights()
    assert other.anew and all(key.startswith('task.') for key in other.anew)
    assert all(torch.equal(value, trained.state_dict()[key]) for key, value in other.state_dict().items()
               if key.startswith('transformer.'))


@pytest.mark.parametrize('changes, sentence', [
    (dict(depth=3), 'lacks transformer.blocks.2'), (dict(depth=1), 'has transformer.blocks.1'),
    (dict(region_width=12), r'transformer.regions.weight in .* is \(8, 10\), and the model wants \(8, 12\)')])
def test_weights_of_another_model_are_refused(words, tmp_path, changes, sentence):
    task = dict(type='lgd_mm.VLCaptioning')
    write_model(MODELS.build(student(words, task)), {}, 0, tmp_path / 'student.safetensors')
    model = MODELS.build(dict(student(words, task, **changes), weights=str(tmp_path / 'student.safetensors')))
    with pytest.raises(UserError, match=sentence):
        model.init_weights()
    save_torch(tmp_path / 'backbone.pth', dict(state_dict={'backbone.conv.weight': torch.zeros(1)}))
    with pytest.raises(UserError, match='holds no model of vision and language'):
        MODELS.build(dict(student(words, task), weights=str(tmp_path / 'backbone.pth'))).init_weights()


def test_a_teacher_of_another_task_is_refused(words, build, tmp_path):
    write_model(MODELS.build(student(words, dict(type='lgd_mm.VLCaptioning'), region_width=14, width=12)), {}, 0,
                tmp_path / 'teacher.safetensors')
    build(teacher=dict(weights=str(tmp_path / 'teacher.safetensors')))
    with pytest.raises(UserError, match='was trained for another task'):
        build(dict(type='lgd_mm.VLAnswering'), teacher=dict(weights=str(tmp_path / 'teacher.safetensors')))
