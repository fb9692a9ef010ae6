"""Dense guidance: its losses by hand, its parts within a distiller, and what it refuses."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper

from lgd_mm.errors import UserError
from lgd_mm.models import losses
from lgd_mm.models.features import map_channels
from lgd_mm.models.losses import cosine_loss, dense_textual_loss
from lgd_mm.models.necks import PyramidProjection
from lgd_mm.models.teachers.base import Taught
from lgd_mm.registry import MODELS
from lgd_mm.students.file import write_student
from tests.tiny import lgd_model

NAMES = ['cat', 'dog', 'bicycle']


@pytest.fixture
def build(teacher, tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path))

    def build(dense=None, backbone=(), network=None, **changes):
        torch.manual_seed(0)
        model = lgd_model(teacher)
        model['backbone'] = network or {**model['backbone'], 'out_indices': (1, 2, 3), **dict(backbone)}
        if dense is not None:
            model['dense'] = dict(type='lgd_mm.DenseGuidance', **dense)
        return MODELS.build({**model, **changes})

    return build


def test_names_of_positions_let_the_text_tower_go(build, teacher):
    """It would lie beside the image tower for the whole run."""
    model = lgd_model(teacher) | dict(type='lgd_mm.FeatureMimicking', dense=dict(
        type='lgd_mm.DenseGuidance', categories=NAMES))
    model['backbone'].update(out_indices=(1, 2, 3))
    del model['lgka'], model['head']
    for built in (MODELS.build(model), build(dict(categories=NAMES))):
        assert built.dense.lgka is not None and built.teacher._text is None


@pytest.mark.parametrize('width', ['abc', 0, 1.5, None])
def test_a_width_that_is_none_is_told(build, width):
    with pytest.raises(UserError, match=r'model.dense.pyramid.channels is .*: it is the width of the pyramid'):
        build(dict(pyramid=dict(channels=width)))


def test_templates_alone_are_told(build):
    with pytest.raises(UserError, match=r'model.dense.templates is given without model.dense.categories'):
        build(dict(templates=['a photo of a {}.']))


def test_a_checkpoint_of_other_names_of_positions_names_their_key(build):
    stored = build(dict(categories=NAMES)).state_dict()
    with pytest.raises(UserError, match='set model.dense.categories and model.dense.templates as they were'):
        build(dict(categories=['cat', 'dog', 'boat'])).load_state_dict(stored)


def images(count=4, size=32):
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def unit_rows(*shape, seed=0):
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_textual_loss_is_that_of_each_position():
    student, teacher, bank = unit_rows(5, 8), unit_rows(5, 8, seed=1), unit_rows(3, 8, seed=2)
    weight = torch.tensor([1., 0, 2, 0.5, 0])
    expected = 0.
    for ours, theirs, share in zip(student, teacher, weight):
        target = torch.exp(theirs @ bank.T / 0.01 - torch.logsumexp(theirs @ bank.T / 0.01, 0))
        expected -= share * (target * (ours @ bank.T / 0.2 - torch.logsumexp(ours @ bank.T / 0.2, 0))).sum()
    loss = dense_textual_loss(student, teacher, bank, 0.2, 0.01, weight)
    torch.testing.assert_close(loss, expected / weight.sum())
    plain = dense_textual_loss(student, teacher, bank, 0.2, 0.01)
    torch.testing.assert_close(plain, dense_textual_loss(student, teacher, bank, 0.2, 0.01, torch.ones(5)))


def test_nothing_of_weight_gives_nothing():
    student = unit_rows(5, 8).requires_grad_()
    loss = dense_textual_loss(student, unit_rows(5, 8, seed=1), unit_rows(3, 8), 0.2, 0.01, torch.zeros(5))
    loss.backward()
    assert loss == 0 and torch.equal(student.grad, torch.zeros(5, 8))


def seen_by(sizes, tensor):
    sizes.append(tensor.numel())
    return tensor


def test_many_names_go_by_blocks(monkeypatch):
    """The same value and gradient, with no similarities of all positions to all names at once."""
    teacher, bank = unit_rows(50, 8, seed=1), unit_rows(30, 8, seed=2)
    found = []
    for block in (losses.BLOCK, 7 * 30):
        monkeypatch.setattr(losses, 'BLOCK', block)
        student = unit_rows(50, 8).requires_grad_()
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(partial(seen_by, kept), lambda tensor: tensor):
            loss = dense_textual_loss(student, teacher, bank, 0.2, 0.01)
        loss.backward()
        found.append((loss.detach(), student.grad, max(kept)))
    torch.testing.assert_close(found[0][:2], found[1][:2])
    assert found[0][2] >= 50 * 30 and found[1][2] < 50 * 30


def test_cosine_loss():
    student, teacher = unit_rows(2, 4), unit_rows(2, 4, seed=1)
    cosines = [float(student[row] @ teacher[row]) for row in range(2)]
    assert float(cosine_loss(student, teacher)) == pytest.approx(1 - sum(cosines) / 2)
    assert float(cosine_loss(student, teacher, torch.tensor([0., 3]))) == pytest.approx(1 - cosines[1])


def test_pyramid_by_hand():
    pyramid = PyramidProjection((3, 5), 4, channels=6)
    fine, coarse = torch.randn(2, 3, 4, 4), torch.randn(2, 5, 2, 2)
    embedded = pyramid((fine, coarse))
    assert embedded.shape == (2, 4, 4, 4)

    def lateral(number, vector):
        conv = pyramid.laterals[number]
        return conv.weight[:, :, 0, 0] @ vector + conv.bias

    first, last = pyramid.mlp[0], pyramid.mlp[2]
    at = lambda y, x: lateral(0, fine[1, :, y, x]) + lateral(1, coarse[1, :, y // 2, x // 2])  # noqa: E731
    embed = lambda v: last.weight[:, :, 0, 0] @ F.relu(first.weight[:, :, 0, 0] @ v + first.bias) + last.bias  # noqa: E731
    torch.testing.assert_close(embedded[1, :, 3, 1], embed(at(3, 1)))
    means = (at(0, 2) + at(0, 3) + at(1, 2) + at(1, 3)) / 4
    torch.testing.assert_close(pyramid((fine, coarse), (2, 2))[1, :, 0, 1], embed(means))
    assert pyramid((fine, coarse), (7, 5)).shape == (2, 4, 7, 5)


def test_published_losses_stay_beside_it(build):
    """One term more, nothing else changed."""
    dense, published = build(dict(textual=3.)), build()
    missing = published.load_state_dict(dense.state_dict(), strict=False)
    assert all(key.startswith('dense.') for key in missing.unexpected_keys) and not missing.missing_keys
    inputs = images()
    found, expected = dense(inputs, mode='loss'), published(inputs, mode='loss')
    assert set(found) - set(expected) == {'loss_dense_textual'}
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=name)


def test_whole_loss_by_hand(build):
    model = build(dict(textual=2., feature=0.5, mimicking=4.))
    inputs = images()
    losses = model(inputs, mode='loss')
    features = model.backbone(inputs)
    positions = model.dense.pyramid(features, (4, 4))
    taught = model.teacher(inputs, dense=True)
    textual, feature = [], []
    for image in range(4):
        for y in range(4):
            for x in range(4):
                ours = F.normalize(positions[image, :, y, x], dim=0)
                theirs = F.normalize(taught.dense[image, :, y, x], dim=0)
                target = F.softmax(model.lgka.textual_bank @ theirs / 0.01, 0)
                textual.append(-(target * F.log_softmax(model.lgka.textual_bank @ ours / 0.2, 0)).sum())
                feature.append(1 - ours @ theirs)
    mimicking = 1 - F.cosine_similarity(model.neck(features), taught.embedding)
    torch.testing.assert_close(losses['loss_dense_textual'], 2 * torch.stack(textual).mean())
    torch.testing.assert_close(losses['loss_dense_feature'], 0.5 * torch.stack(feature).mean())
    torch.testing.assert_close(losses['loss_dense_mimicking'], 4 * mimicking.mean())


def test_positions_that_disagree_with_the_image_are_left_out(build):
    model = build(dict(textual=1., agreement=0.3))
    bank = torch.eye(3, 32)
    image = F.normalize(torch.tensor([[1., 1, 0], [0, 0, 1]]) @ bank, dim=1)  # names 0 and 1; name 2
    positions = bank[[0, 1, 2, 2, 2, 0, 1, 2]]  # four of each image
    assert model.dense._agreement(positions, image, bank).tolist() == [1, 1, 0, 0, 1, 0, 0, 1]


def test_visual_bank_of_positions(build):
    """Its rows become the means of the teacher's positions of each name."""
    model = build(dict(textual=0., visual=1., categories=NAMES, templates=['a photo of a {}.']))
    inputs = images()
    model.train()
    losses = model(inputs, mode='loss')
    assert losses['loss_dense_visual'] > 0
    sum(losses.values()).backward()
    dense = model.teacher(inputs, dense=True).dense
    positions = F.normalize(dense.permute(0, 2, 3, 1).flatten(0, 2), dim=1)
    labels = (positions @ model.dense.lgka.textual_bank.T).argmax(1)
    assert model.dense.lgka.counts.tolist() == torch.bincount(labels, minlength=3).tolist()
    for name in labels.unique().tolist():
        torch.testing.assert_close(model.dense.lgka.visual_bank[name], positions[labels == name].mean(0))


def test_other_methods_take_it(build, teacher):
    parts = {key: value for key, value in lgd_model(teacher).items() if key in ('backbone', 'neck', 'teacher')}
    parts['backbone'].update(out_indices=(1, 2, 3))
    dense = dict(type='lgd_mm.DenseGuidance')
    names = dict(categories=NAMES, templates=['a photo of a {}.'])
    seed = MODELS.build(dict(type='lgd_mm.SEED', queue_length=16, dense=dict(**dense, **names), **parts))
    assert set(seed(images(), mode='loss')) == {'loss_similarity', 'loss_dense_textual'}
    without = MODELS.build(dict(type='lgd_mm.FeatureMimicking', dense=dict(**dense, textual=0, feature=1), **parts))
    assert set(without(images(), mode='loss')) == {'loss_mimicking', 'loss_dense_feature'}
    both = MODELS.build(dict(type='lgd_mm.FeatureMimicking', dense=dict(**dense, **names, mimicking=1.), **parts))
    assert set(both(images(), mode='loss')) == {'loss_mimicking', 'loss_dense_textual', 'loss_dense_mimicking'}
    nameless = dict(textual=0, feature=1)
    for method, odd in (('SEED', {}), ('FeatureMimicking', {}), ('FeatureMimicking', dict(nameless, agreement=0.5))):
        with pytest.raises(UserError, match='need names, and the method has none: give model.dense.categories'):
            MODELS.build(dict(type=f'lgd_mm.{method}', dense=dict(dense, **odd), **parts))
    with pytest.raises(UserError, match='lgd_mm.CompRess learns nothing of positions: leave model.dense out'):
        MODELS.build(dict(type='lgd_mm.CompRess', dense=dense, **{**parts, 'neck': None}))


def test_students_share_one_pass(build, teacher):
    student = {key: value for key, value in lgd_model(teacher).items() if key != 'teacher'}
    student['backbone'].update(out_indices=(1, 2, 3))
    together = MODELS.build(dict(type='lgd_mm.ManyStudents', teacher=lgd_model(teacher)['teacher'], students=dict(
        dense=dict(**student, dense=dict(type='lgd_mm.DenseGuidance')), published=student)))
    calls = []
    together.teacher.visual.conv1.register_forward_hook(lambda *args: calls.append(1))
    found = together(images(), mode='loss')
    once, calls[:] = len(calls), []
    alone = build({})
    alone.teacher.visual.conv1.register_forward_hook(lambda *args: calls.append(1))
    alone.load_state_dict(together.students['dense'].state_dict())
    expected = alone(images(), mode='loss')
    assert once == len(calls), 'one pass for all'
    for name, value in expected.items():
        torch.testing.assert_close(found[f'dense.{name}'], value, msg=name)
    assert {name for name in found if name.startswith('published.')} == {
        'published.loss_visual', 'published.loss_textual'}


@pytest.mark.parametrize('dtype', [None, torch.bfloat16])
def test_it_learns(build, dtype):
    model = build(dict(textual=3., feature=1.))
    wrapper = OptimWrapper(torch.optim.Adam(model.parameters(), lr=1e-2))
    inputs = images()
    seen = []
    model.train()
    for _ in range(30):
        with torch.autocast('cpu', dtype or torch.bfloat16, enabled=dtype is not None):
            losses = model(inputs, mode='loss')
        assert all(loss.dtype == torch.float32 for loss in losses.values())
        wrapper.update_params(losses['loss_dense_textual'] + losses['loss_dense_feature'])
        seen.append(float(losses['loss_dense_feature'].detach()))
    assert seen[-1] < 0.6 * seen[0]


@pytest.mark.parametrize(('dense', 'told'), [
    (dict(textual=-1.), 'model.dense.textual is -1.0: it must be a number of at least 0'),
    (dict(textual='3'), "model.dense.textual is '3': it must be a number"),
    (dict(feature=float('nan')), 'model.dense.feature is nan'),
    (dict(textual=0., mimicking=1.), 'textual, feature and visual are all 0, so nothing leads from positions'),
    (dict(agreement=1.), 'model.dense.agreement is 1.0: it is a probability below 1'),
    (dict(agreement=None), 'model.dense.agreement is None'),
    (dict(background=-2.), 'model.dense.background is -2.0: it must be a number of at least -1'),
    (dict(background=30), 'model.dense.background is 30: it must be a number of at least -1 and at most 1'),
    (dict(student_temperature=0.), 'model.dense.student_temperature is 0.0: it must be a number above 0'),
    (dict(teacher_temperature=float('inf')), 'model.dense.teacher_temperature is inf'),
    (dict(visual=1.), 'model.dense.visual needs model.dense.categories'),
])
def test_odd_values(build, dense, told):
    with pytest.raises(UserError, match=told):
        build(dense)


def test_a_key_without_dense_guidance(build):
    model = build({})
    with pytest.raises(UserError, match='model.dense.background is given to a run without dense guidance'):
        model._build_dense(dict(background=0.3))


def test_students_without_maps(build):
    with pytest.raises(UserError, match='gives .* and no maps .*: take another backbone, or leave model.dense out'):
        build({}, network=dict(type='mmpretrain.VisionTransformer', arch='deit-tiny', img_size=32, patch_size=16,
                               out_type='cls_token'))
    single = build({}, backbone=dict(out_indices=(3, )))
    assert single(images(size=64), mode='loss')['loss_dense_textual'] > 0


def test_maps_in_another_order():
    class Reversed(torch.nn.Module):
        def forward(self, inputs):
            return inputs[:, :, ::4, ::4], inputs[:, :, ::2, ::2]

    with pytest.raises(UserError, match=r'are \[56, 112\] wide: set model.backbone.out_indices in ascending order'):
        map_channels(Reversed())


def test_a_teacher_without_maps(tmp_path):
    vectors = dict(type='mmpretrain.VisionTransformer', arch=dict(
        embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=32), img_size=32, patch_size=16)
    write_student(MODELS.build(vectors).state_dict(), {}, tmp_path / 'student')
    teacher = dict(
        type='lgd_mm.BackboneTeacher', backbone=vectors, checkpoint=str(tmp_path / 'student.safetensors'))
    with pytest.raises(UserError, match=r'VisionTransformer as a teacher gives \(1, 16\), neither a map .* nor tokens'):
        MODELS.build(dict(type='lgd_mm.FeatureMimicking', backbone=lgd_model('')['backbone'], teacher=teacher,
                          neck=dict(type='lgd_mm.MLPProjection'), dense=dict(type='lgd_mm.DenseGuidance')))


def test_a_batch_without_maps(build):
    model = build({})
    with pytest.raises(UserError, match='needs maps of the teacher or crops of a cache, and this batch brings none'):
        model(images(), teacher=torch.randn(4, 32), mode='loss')
    given = Taught(torch.randn(4, 32), torch.randn(4, 32, 2, 2))
    assert 'loss_dense_textual' in model(images(), teacher=given, mode='loss')


def test_none_of_the_names():
    """A column of its own, alike for both: a position that the teacher finds like no name pulls all names down."""
    bank = torch.eye(2, 8)
    student = F.normalize(torch.tensor([[0.5, 0.5] + 6 * [0.3]]), dim=1).requires_grad_()
    nameless = F.normalize(torch.tensor([[0.1, 0.0] + 6 * [1.0]]), dim=1)
    loss = dense_textual_loss(student, nameless, bank, 0.2, 0.01, background=0.3)
    ours = torch.cat([student[0, :2], torch.tensor([0.3])]) / 0.2
    theirs = torch.tensor([float(nameless[0, 0]), 0., 0.3]) / 0.01
    torch.testing.assert_close(loss, -(F.softmax(theirs, 0) * F.log_softmax(ours, 0)).sum())
    loss.backward()
    assert (student.grad[0, :2] > 0).all(), 'both names fall'


def test_losses_of_one_name(build, monkeypatch):
    model = build({})
    monkeypatch.setattr(model, 'alignment', lambda *args: dict(loss_dense_textual=torch.zeros(())))
    with pytest.raises(UserError, match='lgd_mm.LGD and model.dense both have a loss_dense_textual'):
        model(images(), mode='loss')
