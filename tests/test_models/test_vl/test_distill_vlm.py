"""DistillVLM: what it learns from, what it keeps to itself, and that it is the same in any number of processes."""

import multiprocessing

import pytest
import torch
from torch import nn

from lgd_mm.errors import UserError
from lgd_mm.models.vl import DistillVLM
from lgd_mm.models.vl.losses import attention_loss, soft_label_loss, token_contrastive_loss
from lgd_mm.models.vl.sampling import priorities
from lgd_mm.models.vl.weights import write_model
from lgd_mm.registry import MODELS
from tests.test_models.test_vl.conftest import TAGS, TEXT, batch, student

TASKS = [dict(type='lgd_mm.VLCaptioning'), dict(type='lgd_mm.VLPretraining'),
         dict(type='lgd_mm.VLAnswering', dropout=0.)]


@pytest.mark.parametrize('task', TASKS, ids=lambda task: task['type'])
def test_losses_are_weighted_and_the_teacher_sees_its_own_features(build, task):
    model = build(task, attention=3., hidden=2., labels=0.5)
    inputs, targets = batch()
    losses = model(inputs, targets, mode='loss')
    student = model.student.encode(inputs, with_attention=True)
    teacher = model.teacher.encode(dict(inputs, regions=inputs['teacher_regions']), with_attention=True)
    valid = inputs['valid']
    torch.testing.assert_close(
        losses['loss_attention'], 3 * attention_loss(student.attention, teacher.attention, valid))
    ours, theirs = (nn.functional.normalize(hidden, dim=2) for hidden in (
        model.projection(student.hidden), teacher.hidden))
    torch.testing.assert_close(
        losses['loss_hidden'], 2 * token_contrastive_loss(ours, theirs, model.queue.embeddings, valid, 0.1))
    pair = [network.task.labels(hidden, targets) for network, hidden in (
        (model.student, student.hidden), (model.teacher, teacher.hidden))]
    torch.testing.assert_close(
        losses['loss_labels'], 0.5 * soft_label_loss(pair[0].logits, pair[1].logits, pair[0].valid))
    alone = model.student(inputs, targets, mode='loss')
    assert {key: losses[key] for key in alone} == alone and len(losses) == len(alone) + 3


def test_the_student_begins_the_same_whatever_it_learns_from(build, words):
    """Rows of a table differ by what is compared alone."""
    torch.manual_seed(0)
    alone = MODELS.build(student(words, TASKS[0]))
    alone.init_weights()
    for options in (dict(hidden=0.), dict(), dict(queue_length=7, teacher=dict(width=20))):
        ours = build(**options).student.state_dict()
        assert all(torch.equal(value, ours[key]) for key, value in alone.state_dict().items()), options


def test_a_teacher_with_fewer_boxes_of_its_own_sees_these_alone(build):
    model = build(labels=1.)
    inputs, targets = batch()
    fewer = inputs['valid'].clone()
    fewer[:, TEXT + TAGS + 1:] = False
    losses = model(dict(inputs, teacher_valid=fewer), targets, mode='loss')
    changed = dict(inputs, teacher_valid=fewer, teacher_regions=inputs['teacher_regions'].clone())
    changed['teacher_regions'][:, 1:] = 9.
    assert all(torch.equal(value, losses[key]) for key, value in model(changed, targets, mode='loss').items())
    student = model.student.encode(inputs, with_attention=True)
    teacher = model.teacher.encode(dict(inputs, valid=fewer), True, 'teacher_regions')
    torch.testing.assert_close(
        losses['loss_attention'], 10 * attention_loss(student.attention, teacher.attention, fewer))


def test_only_losses_with_a_weight_are_there(build):
    model = build(attention=0., hidden=0.)
    inputs, targets = batch()
    assert model(inputs, targets, mode='loss').keys() == {'loss_words'}
    assert not hasattr(model, 'queue')


def test_the_teacher_is_in_no_checkpoint_and_stays_as_it_is(build):
    model = build()
    assert not any('teacher' in key for key in model.state_dict())
    assert not model.train().teacher.training
    assert not any(parameter.requires_grad for parameter in model.teacher.parameters())
    assert model.double().teacher.transformer.words.weight.dtype == torch.float64


def test_masked_words_are_read_where_they_are_masked(build):
    model = build().student.eval()
    inputs, targets = batch()
    labels = model.task.labels(model.encode(inputs).hidden, targets)
    assert labels.valid.tolist() == [True, True, True, False, True, False]
    logits = model.task.words(model.encode(inputs).hidden)
    torch.testing.assert_close(labels.logits, logits[:, 1:3].flatten(0, 1))
    of_words = nn.functional.cross_entropy(
        torch.stack([logits[0, 1], logits[0, 2], logits[1, 1], logits[2, 1]]), torch.tensor([7, 9, 7, 7]),
        label_smoothing=0.1)
    torch.testing.assert_close(model.task.loss(None, labels, targets)['loss_words'], of_words)


def test_the_queue_moves_when_the_gradient_arrives_and_takes_no_padding(build):
    model = build(queue_length=64)
    inputs, targets = batch()
    before = model.queue.embeddings.clone()
    losses = model(inputs, targets, mode='loss')
    assert torch.equal(model.queue.embeddings, before)
    sum(losses.values()).backward()
    assert torch.equal(model.queue.embeddings[4:], before[4:]) and model.queue.position == 4  # 64 / 16
    with torch.no_grad():
        hidden = model.teacher.encode(inputs, regions='teacher_regions').hidden
    tokens = nn.functional.normalize(hidden[inputs['valid']], dim=1)
    for pushed in model.queue.embeddings[:4]:
        assert (tokens - pushed).abs().sum(dim=1).min() < 1e-5


def test_draws_follow_text_and_place_alone():
    valid = torch.tensor([[True, True, False], [True, True, True]])
    found = priorities(torch.tensor([5, 7]), valid)
    assert torch.equal(priorities(torch.tensor([7, 5]), valid.flip(0)).flip(0), found)
    assert found[0, 2] == -1 and (found[valid] >= 0).all()
    many = priorities(torch.arange(1000), torch.ones(1000, 8, dtype=torch.bool)) / 2**32
    assert len(many.unique()) > 7990
    assert many.mean() == pytest.approx(0.5, abs=0.02) and many.var() == pytest.approx(1 / 12, abs=0.005)
    assert (many.mean(dim=0) - 0.5).abs().max() < 0.05


@pytest.mark.parametrize('options, sentence', [
    (dict(teacher=dict(heads=3)), 'model.student has 2 heads and model.teacher 3'),
    (dict(teacher=dict(positions=8)), 'model.teacher reads 8 words and model.student 12'),
    (dict(teacher=dict(vocabulary='other.txt')), 'model.student and model.teacher have other word pieces'),
    (dict(attention=-1.), 'model.attention is -1.0'),
    (dict(temperature=0.), 'model.temperature is 0.0'),
    (dict(queue_length=0), 'model.queue_length is 0')])
def test_what_does_not_fit(build, options, sentence):
    with pytest.raises(UserError, match=sentence):
        build(**options)


def test_a_teacher_without_weights_is_told(build, words, capsys):
    model = build()
    assert 'warning: model.teacher begins at random' in capsys.readouterr().out
    write_model(model.teacher, {}, 1, words / 'teacher.safetensors')
    again = build(teacher=dict(weights=str(words / 'teacher.safetensors')))
    assert 'warning' not in capsys.readouterr().out
    assert torch.equal(again.teacher.transformer.words.weight, model.teacher.transformer.words.weight)


def test_teachers_of_other_tasks(words):
    """One that sees other words, or gives other answers, teaches nothing; one of another head still has hidden states.
    """
    (words / 'turned.txt').write_text('no\nyes\n1\n2\nred\n')

    def pair(ours, theirs, **options):
        DistillVLM(student=student(words, ours), teacher=student(words, theirs, region_width=14), **options)

    seq2seq = dict(type='lgd_mm.VLPretraining', seq2seq=True)
    answering = dict(type='lgd_mm.VLAnswering', answers=str(words / 'turned.txt'))
    with pytest.raises(UserError, match='with the same seq2seq'):
        pair(seq2seq, dict(seq2seq, seq2seq=False))
    with pytest.raises(UserError, match='with the same answers, or set model.labels=0'):
        pair(TASKS[2], answering, labels=1.)
    with pytest.raises(UserError, match='both the same task'):
        pair(TASKS[2], TASKS[1], labels=1.)
    pair(TASKS[2], TASKS[1])
    pair(TASKS[0], seq2seq, labels=1.)


def test_another_number_of_heads_with_averaged_maps(build):
    model = build(teacher=dict(heads=3), average_heads=True)
    assert model(*batch(), mode='loss')['loss_attention'] > 0


def test_two_processes_are_one(build, tmp_path):
    """Gradients are averaged by DDP; texts of unlike lengths are spread unevenly."""
    inputs, targets = batch(6)
    whole = _gradients(build(queue_length=64, labels=1.), inputs, targets)
    context = multiprocessing.get_context('fork')
    processes = [context.Process(target=_half, args=(build, rank, tmp_path)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    for rank in range(2):
        halves = torch.load(tmp_path / f'{rank}.pth')
        assert halves.keys() == whole.keys()
        for name, value in whole.items():
            torch.testing.assert_close(halves[name], value, msg=name)


def _gradients(model, inputs, targets):
    parameters = [(name, value) for name, value in model.named_parameters()]
    sum(model(inputs, targets, mode='loss').values()).backward()
    inner = model.module if hasattr(model, 'module') else model
    return {name.removeprefix('module.'): value.grad for name, value in parameters if value.grad is not None} | dict(
        queue=inner.queue.embeddings, position=inner.queue.position)


def _half(build, rank, folder):
    torch.distributed.init_process_group('gloo', f'file://{folder}/group', rank=rank, world_size=2)
    torch.set_num_threads(1)
    inputs, targets = batch(6)
    model = nn.parallel.DistributedDataParallel(build(queue_length=64, labels=1.), find_unused_parameters=True)

    def part(values):
        return {key: value[rank::2] for key, value in values.items()}

    torch.save(_gradients(model, part(inputs), part(targets)), folder / f'{rank}.pth')
