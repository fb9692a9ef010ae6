"""The algorithm as a whole, on a real if tiny open_clip teacher."""

import pytest
import torch
from mmengine.model import BaseModule
from mmengine.optim import OptimWrapper
from mmengine.runner.checkpoint import get_state_dict
from mmpretrain.structures import DataSample

from lgd_mm.errors import UserError
from lgd_mm.registry import MODELS
from tests.tiny import lgd_model


@pytest.fixture
def build(teacher, tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path))

    def build(**changes):
        torch.manual_seed(0)
        return MODELS.build({**lgd_model(teacher), **changes})

    return build


def batch(count=4, size=32):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randint(0, 256, (count, 3, size, size), generator=generator, dtype=torch.uint8)
    return dict(inputs=inputs, data_samples=[DataSample() for _ in range(count)])


def train_step(model, steps=1):
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    model.train()
    return [model.train_step(batch(), wrapper) for _ in range(steps)]


def test_teacher_stays_outside(build):
    model = build()
    before = {key: value.clone() for key, value in model.teacher.visual.state_dict().items()}
    model.init_weights()
    train_step(model)

    assert not any('teacher' in key or 'visual.' in key for key in get_state_dict(model))
    assert not any('teacher' in name for name, _ in model.named_parameters())
    assert not model.teacher.training and not model.teacher.visual.training
    for key, value in model.teacher.visual.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_teacher_follows_to(build):
    model = build().to('meta')
    assert {parameter.device.type for parameter in model.teacher.parameters()} == {'meta'}
    assert model.teacher.scale.device.type == 'meta'


def test_teacher_renormalises_images(build):
    model = build()
    data = batch()
    inputs = model.data_preprocessor(data, True)['inputs']
    rgb = data['inputs'].flip(1).float() / 255
    expected = (rgb - torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1)) / torch.tensor([0.2, 0.3, 0.4]).view(3, 1, 1)
    seen = []
    model.teacher.visual.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    model.teacher(inputs)
    torch.testing.assert_close(seen[0], expected, atol=1e-5, rtol=0)


def test_losses_use_the_bank_before_the_step(build):
    model = build()
    data = model.data_preprocessor(batch(), True)
    model.train()
    bank = model.lgka.visual_bank.clone()
    losses = model(**data, mode='loss')
    assert torch.equal(model.lgka.visual_bank, bank)
    sum(losses.values()).backward()
    assert not torch.equal(model.lgka.visual_bank, bank)
    rows = (model.lgka.visual_bank != bank).any(dim=1)
    assert torch.equal(rows, model.lgka.seen)


@pytest.mark.parametrize('training, grad', [(False, True), (True, False)])
def test_bank_moves_in_training_only(build, training, grad):
    model = build().train(training)
    bank = model.lgka.visual_bank.clone()
    with torch.set_grad_enabled(grad):
        loss = sum(model(**model.data_preprocessor(batch(), True), mode='loss').values())
    if grad:
        loss.backward()
    assert torch.equal(model.lgka.visual_bank, bank)


def test_every_parameter_learns_and_loss_falls(build):
    model = build()
    logs = train_step(model, steps=8)
    sum(model(**model.data_preprocessor(batch(), True), mode='loss').values()).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert logs[-1]['loss'] < 0.8 * logs[0]['loss']
    assert float(logs[0]['loss']) == pytest.approx(float(logs[0]['loss_visual'] + logs[0]['loss_textual']))


def test_widths_are_derived_and_checked(build):
    assert build().neck.mlp[-1].out_features == 32
    with pytest.raises(UserError, match='model.neck.out_channels is 512.*32'):
        build(neck=dict(type='lgd_mm.MLPProjection', out_channels=512))
    with pytest.raises(UserError, match='model.neck.in_channels is 512.*64'):
        build(neck=dict(type='lgd_mm.MLPProjection', in_channels=512))


@pytest.mark.parametrize('backbone, width', [
    (dict(type='mmpretrain.MobileNetV2', widen_factor=0.25), 1280),
    (dict(type='mmpretrain.MobileNetV3', arch='small'), 576),
    (dict(type='mmpretrain.EfficientNet', arch='b0'), 1280),
    (dict(type='mmpretrain.TIMMBackbone', model_name='test_resnet'), None),
    (dict(type='mmpretrain.TIMMBackbone', model_name='test_vit', img_size=224), None),
])
def test_students(build, backbone, width):
    model = build(backbone=backbone)
    if width:
        assert model.neck.mlp[0].in_features == width
    assert model.embed(torch.zeros(1, 3, 224, 224)).shape == (1, 32)


def test_checkpoint_round_trip_and_other_names(build):
    trained = build()
    train_step(trained)
    state = get_state_dict(trained)
    fresh = build()
    fresh.load_state_dict(state)
    for key in ('visual_bank', 'counts', 'textual_bank'):
        assert torch.equal(getattr(fresh.lgka, key), getattr(trained.lgka, key))

    other = build(lgka=lgd_model('', categories=['cat', 'dog', 'tractor'])['lgka'])
    with pytest.raises(UserError, match='tractor'):
        other.load_state_dict(state)


def test_checkpoint_of_a_version_that_did_not_count(build):
    trained = build()
    train_step(trained)
    state = get_state_dict(trained)
    state['lgka.seen'] = state.pop('lgka.counts') > 0
    fresh = build()
    fresh.load_state_dict(state)
    assert torch.equal(fresh.lgka.seen, trained.lgka.seen) and fresh.lgka.seen.any()


def test_predict_is_nearest_category(build):
    model = build().eval()
    data = model.data_preprocessor(batch(), False)
    with torch.no_grad():
        samples = model(**data, mode='predict')
        embedding = torch.nn.functional.normalize(model.embed(data['inputs']), dim=1)
    expected = (embedding @ model.lgka.textual_bank.T).argmax(dim=1)
    assert [int(sample.pred_label) for sample in samples] == expected.tolist()
    for sample in samples:
        assert sample.pred_score.sum() == pytest.approx(1, abs=1e-5)


def test_features(build):
    model = build().eval()
    assert model(torch.zeros(2, 3, 64, 64), mode='tensor')[-1].shape == (2, 64, 2, 2)
    with pytest.raises(ValueError, match='mode'):
        model(torch.zeros(1, 3, 32, 32), mode='train')


def test_parts_are_mmengine_modules(build):
    model = build()
    assert all(isinstance(part, BaseModule) for part in (model.neck, model.lgka, model.head))
