"""Zero-shot classification with any student's checkpoint."""

import pytest
import torch
from mmpretrain.structures import DataSample

from lgd_mm.engine.checks.preflight import check_weights
from lgd_mm.errors import UserError
from lgd_mm.registry import MODELS
from tests.tiny import lgd_model

NAMES, TEMPLATES = ['cat', 'dog', 'bicycle'], ['a photo of a {}.']


def classifier(teacher, categories=NAMES, **changes):
    parts = {part: lgd_model(teacher)[part] for part in ('backbone', 'neck', 'teacher')}
    return MODELS.build({'type': 'lgd_mm.ZeroShotClassifier', **parts, 'categories': categories,
                         'templates': TEMPLATES, **changes})


def labels(samples):
    return [int(sample.pred_label) for sample in samples]


def test_agrees_with_lgd_itself(teacher):
    torch.manual_seed(0)
    lgd = MODELS.build(lgd_model(teacher)).eval()
    model = classifier(teacher).eval()
    check_weights(model, lgd.state_dict(), 'epoch_1.pth')
    images = torch.rand(6, 3, 32, 32)
    with torch.no_grad():
        samples = model(images, [DataSample() for _ in images], mode='predict')
        assert labels(samples) == labels(lgd.predict(images))
        torch.testing.assert_close(model(images), lgd.embed(images))
    assert float(samples[0].pred_score.sum()) == pytest.approx(1)


def test_names_are_a_choice(teacher):
    """Other names than the student was trained with: their order decides the labels."""
    lgd = MODELS.build(lgd_model(teacher))
    first, second = (classifier(teacher, names).eval() for names in (['tree', 'cat', 'dog'], ['dog', 'cat', 'tree']))
    for model in (first, second):
        check_weights(model, lgd.state_dict(), 'epoch_1.pth')
    images = torch.rand(6, 3, 32, 32)
    with torch.no_grad():
        assert labels(first.predict(images)) == [2 - label for label in labels(second.predict(images))]


def test_takes_any_distiller(teacher):
    parts = {part: lgd_model(teacher)[part] for part in ('backbone', 'neck', 'teacher')}
    seed = MODELS.build({'type': 'lgd_mm.SEED', 'queue_length': 4, **parts})
    model = classifier(teacher)
    check_weights(model, seed.state_dict(), 'epoch_1.pth')
    assert torch.equal(model.neck.mlp[0].weight, seed.neck.mlp[0].weight)


def test_mistakes(teacher):
    lgd, model = MODELS.build(lgd_model(teacher)), classifier(teacher)
    bare = {key: value for key, value in lgd.state_dict().items() if key.startswith('backbone.')}
    with pytest.raises(UserError, match='holds no neck.*: zero-shot classification needs the projection'):
        check_weights(model, bare, 'student.pth')
    parts = {part: lgd_model(teacher)[part] for part in ('backbone', 'neck', 'teacher')}
    compress = MODELS.build({'type': 'lgd_mm.CompRess', 'queue_length': 4, **parts})
    with pytest.raises(UserError, match='is of lgd_mm.CompRess, whose student has a space of its own'):
        check_weights(model, compress.state_dict(), 'epoch_1.pth')
    wide = classifier(teacher, backbone={**lgd_model(teacher)['backbone'], 'base_channels': 4})
    with pytest.raises(UserError, match='checkpoint of another model'):
        check_weights(wide, lgd.state_dict(), 'epoch_1.pth')
    with pytest.raises(UserError, match='model.neck.out_channels is 7, but the backbone and the teacher ask for 32'):
        classifier(teacher, neck=dict(type='lgd_mm.MLPProjection', out_channels=7))
    with pytest.raises(UserError, match='only tested: use tools/test.py'):
        model(torch.rand(1, 3, 32, 32), mode='loss')
