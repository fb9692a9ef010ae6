"""The rivals compute what their papers say, in numbers worked out by hand."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper

from lgd_mm.errors import UserError
from lgd_mm.models.baselines.queue import EmbeddingQueue
from lgd_mm.registry import MODELS
from tests.tiny import lgd_model


@pytest.fixture
def build(teacher):

    def build(kind, **settings):
        torch.manual_seed(0)
        parts = {part: lgd_model(teacher)[part] for part in ('backbone', 'neck', 'teacher')}
        return MODELS.build({'type': kind, **parts, **settings})

    return build


def with_embeddings(model, student, teacher):
    """The model as if its networks gave these embeddings."""
    student = torch.tensor(student, requires_grad=True)
    model.features = lambda inputs: student
    model.neck = torch.nn.Identity()
    object.__setattr__(model, 'teacher', lambda inputs: torch.tensor(teacher))
    return student


def hold(queue, embeddings):
    queue.embeddings = torch.tensor(embeddings)


INPUTS = torch.zeros(1, 3, 32, 32)


def test_seed_by_hand(build):
    """Teacher softmax([1, 0] / 0.5) = [0.8808, 0.1192]; student log-softmax([0, 1]) = [-1.3133, -0.3133]."""
    model = build('lgd_mm.SEED', queue_length=1, student_temperature=1.0, teacher_temperature=0.5)
    hold(model.queue, [[1.0, 0.0]])
    with_embeddings(model, [[2.0, 0.0]], [[0.0, 3.0]])
    assert float(model(INPUTS, mode='loss')['loss_similarity'].detach()) == pytest.approx(1.194059, abs=1e-5)


@pytest.mark.parametrize('distance, expected', [('cosine', 0.4), ('mse', 20.0)])
def test_mimicking_by_hand(build, distance, expected):
    """The cosine of (3, 4) and (1, 0) is 0.6; they lie (2, 4) apart."""
    model = build('lgd_mm.FeatureMimicking', distance=distance)
    with_embeddings(model, [[3.0, 4.0]], [[1.0, 0.0]])
    assert float(model(INPUTS, mode='loss')['loss_mimicking'].detach()) == pytest.approx(expected, abs=1e-6)


def test_compress_by_hand(build, monkeypatch):
    """Softmaxes of (0.6, 0.8) and (0.8, 0.6) have the divergence 0.2 x (0.549834 - 0.450166)."""
    model = build('lgd_mm.CompRess', queue_length=2, temperature=1.0)
    hold(model.teacher_queue, [[1.0, 0.0], [0.0, 1.0]])
    hold(model.student_queue, [[1.0, 0.0], [0.0, 1.0]])
    with_embeddings(model, [[0.6, 0.8]], [[0.8, 0.6]])
    monkeypatch.setattr(model, '_anchor_embedding', lambda inputs: torch.tensor([[1.0, 0.0]]))
    assert float(model(INPUTS, mode='loss')['loss_similarity'].detach()) == pytest.approx(0.0199336, abs=1e-6)


def test_queue_forgets_the_oldest():
    queue = EmbeddingQueue(3, 1)
    for batch in ([1.0, 2.0], [3.0, 4.0], [5.0]):
        queue.push(torch.tensor(batch).unsqueeze(1))
    assert queue.embeddings.flatten().tolist() == [4.0, 5.0, 3.0]
    later = EmbeddingQueue(3, 1)
    later.load_state_dict(queue.state_dict())
    later.push(torch.tensor([[6.0]]))
    assert later.embeddings.flatten().tolist() == [4.0, 5.0, 6.0], 'a resumed queue goes on at its place'


def test_queue_refuses_what_it_cannot_hold():
    with pytest.raises(UserError, match='queue_length is 1, less than the batch of 2'):
        EmbeddingQueue(1, 4).push(torch.zeros(2, 4))
    with pytest.raises(UserError, match='queue_length is 0'):
        EmbeddingQueue(0, 4)


def test_queues_move_after_their_use(build):
    """The losses compare with what was there before the step; the step's own features come after it."""
    model = build('lgd_mm.SEED', queue_length=8)
    before = model.queue.embeddings.clone()
    images = torch.rand(3, 3, 32, 32)
    loss = model(images, mode='loss')['loss_similarity']
    assert torch.equal(model.queue.embeddings, before)
    loss.backward()
    torch.testing.assert_close(model.queue.embeddings[:3], F.normalize(model.teacher(images), dim=1))
    assert torch.equal(model.queue.embeddings[3:], before[3:]) and int(model.queue.position) == 3


def test_anchors_follow_the_student(build):
    model = build('lgd_mm.CompRess', queue_length=8, momentum=0.75)
    model.init_weights()
    ours, average = model.backbone.conv1.weight, model.anchor[0].conv1.weight
    assert torch.equal(ours, average) and not average.requires_grad
    start = ours.detach().clone()
    with torch.no_grad():
        ours.add_(1.0)
    model.train()(torch.rand(2, 3, 32, 32), mode='loss')['loss_similarity'].backward()
    torch.testing.assert_close(average, start + 0.25)
    assert int(model.student_queue.position) == int(model.teacher_queue.position) == 2


def test_compress_has_no_projection_as_published(build):
    """The student's queue is as wide as its features, which are its embeddings."""
    model = build('lgd_mm.CompRess', queue_length=8, neck=None)
    images = torch.rand(2, 3, 32, 32)
    features = model.eval().backbone(images)[-1]
    assert torch.equal(model.embed(images), features.mean((2, 3)))
    assert model.student_queue.embeddings.shape == (8, features.shape[1])
    assert model.teacher_queue.embeddings.shape == (8, model.teacher.embed_dim)
    assert not any(key.startswith('neck.') for key in model.state_dict())


@pytest.mark.parametrize('kind, settings', [
    ('lgd_mm.SEED', dict(queue_length=16)),
    ('lgd_mm.FeatureMimicking', {}),
    ('lgd_mm.FeatureMimicking', dict(distance='mse')),
    ('lgd_mm.CompRess', dict(queue_length=16)),
    ('lgd_mm.CompRess', dict(queue_length=16, neck=None)),
])
def test_students_learn(build, kind, settings):
    """Every parameter of the student gets a gradient, and a small step lowers the loss on the same images."""
    model = build(kind, **settings)
    model.init_weights()
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    state = {key: value.clone() for key, value in model.state_dict().items() if 'queue' in key}
    wrapper = OptimWrapper(torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1e-3))
    losses = []
    for _ in range(6):
        model.load_state_dict(state, strict=False)  # the same anchors each time
        loss = sum(model(images, mode='loss').values())
        wrapper.backward(loss)
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        assert [name for name, parameter in trained.items() if parameter.grad is None] == []
        wrapper.step()
        wrapper.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    assert not any('teacher.' in key for key in model.state_dict())


def test_mistakes(build):
    with pytest.raises(UserError, match="model.distance is 'l1'"):
        build('lgd_mm.FeatureMimicking', distance='l1')
    with pytest.raises(NotImplementedError, match='SEED knows no category names'):
        build('lgd_mm.SEED', queue_length=2).predict(INPUTS)
