"""mmdet's own pyramid as the student's: the same numbers, the same keys, and all of it learns."""

import pytest
import torch
import torch.nn.functional as F
from mmdet.models.necks import FPN

from lgd_mm.errors import UserError
from lgd_mm.models.necks import FPNProjection
from lgd_mm.models.necks.pyramid_between import pyramid_between
from lgd_mm.registry import MODELS
from tests.tiny import lgd_model, write_tiny_teacher

WIDTHS = [8, 16, 32, 64]


def maps(size=64):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(2, width, size // stride, size // stride, generator=generator)
            for width, stride in zip(WIDTHS, (4, 8, 16, 32))]


def test_it_is_mmdets_with_its_mean_at_stride_8():
    torch.manual_seed(0)
    projection = FPNProjection(WIDTHS, 12, channels=6)
    projection.init_weights()
    theirs = FPN(WIDTHS, 6, num_outs=4)
    theirs.load_state_dict(projection.fpn.state_dict())
    assert set(theirs.state_dict()) == {f'{part}.{level}.conv.{kind}' for part in ('lateral_convs', 'fpn_convs')
                                        for level in range(4) for kind in ('weight', 'bias')}
    fine, own, coarse, coarsest = theirs(maps())
    mean = (F.avg_pool2d(fine, 2) + own + sum(
        F.interpolate(each, (8, 8), mode='bilinear') for each in (coarse, coarsest))) / 4
    merged = projection.merge(maps())
    torch.testing.assert_close(merged, mean)
    assert merged.shape == (2, 6, 8, 8) and projection(maps()).shape == (2, 12, 8, 8)
    first, _, last = projection.mlp
    embedded = projection(maps(), (4, 4))
    at = F.avg_pool2d(mean, 2)[1, :, 2, 3]
    expected = last.weight[:, :, 0, 0] @ F.relu(first.weight[:, :, 0, 0] @ at + first.bias) + last.bias
    torch.testing.assert_close(embedded[1, :, 2, 3], expected)
    embedded.square().sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in projection.parameters())


def test_it_begins_as_mmdets_does():
    """By mmdet's own initialiser, through the distiller's init_weights()."""
    projection = FPNProjection(WIDTHS, 12, channels=6)
    projection.init_weights()
    assert projection.fpn.is_init and all(conv.conv.bias.abs().sum() == 0 for conv in projection.fpn.fpn_convs)


def slim(**changes):
    return {**lgd_model('')['backbone'], **changes}


MOBILE = dict(type='mmpretrain.MobileNetV2', widen_factor=0.25)
GHOST = dict(type='mmpretrain.TIMMBackbone', model_name='ghostnet_050', features_only=True)


@pytest.mark.parametrize(('backbone', 'given'), [
    (slim(out_indices=(1, 2, 3)), '8, 16, 32'),
    (slim(out_indices=(3, )), '32'),
    (slim(out_indices=(0, 1, 2, 3), strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)), '4, 8, 8, 8'),
    (slim(out_indices=(0, 1, 2, 3), strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2)), '4, 8, 16, 16'),
    (slim(out_indices=(0, 1, 2, 3), strides=(1, 1, 2, 2)), '4, 4, 8, 16'),
    (dict(MOBILE, out_indices=(0, 1, 2, 3)), '2, 4, 8, 16'),
    (dict(MOBILE, out_indices=(1, 2, 4, 6, 7)), '4, 8, 16, 32, 32'),
    (dict(GHOST, out_indices=(0, 1, 2, 3)), '2, 4, 8, 16'),
])
def test_maps_of_other_strides(backbone, given):
    told = (f'takes maps of strides 4, 8, 16, 32, and those of the student .* have {given}: '
            'set model.backbone.out_indices to outputs of strides 4, 8, 16, 32')
    with pytest.raises(UserError, match=told):
        pyramid_between(dict(type='lgd_mm.FPNProjection'), MODELS.build(backbone), 12)


@pytest.mark.parametrize('backbone', [
    slim(out_indices=(0, 1, 2, 3)), dict(MOBILE, out_indices=(1, 2, 4, 7)), dict(GHOST, out_indices=(1, 2, 3, 4)),
    dict(type='mmpretrain.TIMMBackbone', model_name='efficientnet_b1_pruned', features_only=True,
         out_indices=(1, 2, 3, 4))])  # its images have 240 pixels, which 32 does not divide
def test_maps_of_its_strides(backbone):
    student = MODELS.build(backbone)
    student.eval()
    for kind in ('lgd_mm.FPNProjection', FPNProjection):
        assert pyramid_between(dict(type=kind, channels=8), student, 12)(student(torch.zeros(1, 3, 64, 64))).shape == (
            1, 12, 8, 8)


def test_other_pyramids_take_maps_of_any_stride():
    for backbone, side in ((slim(out_indices=(3, )), 2), (dict(MOBILE, out_indices=(2, 4, 7)), 8),
                           (slim(out_indices=(1, 2, 3), strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)), 8)):
        student = MODELS.build(backbone)
        student.eval()
        positions = pyramid_between(None, student, 12)(student(torch.zeros(1, 3, 64, 64)))
        assert positions.shape == (1, 12, side, side)


def test_it_is_checked_when_a_model_is_built(tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path))
    model = lgd_model(write_tiny_teacher(tmp_path))
    model['backbone'].update(out_indices=(1, 2, 3))
    with pytest.raises(UserError, match='have 8, 16, 32: set model.backbone.out_indices'):
        MODELS.build(dict(model, dense=dict(type='lgd_mm.DenseGuidance', pyramid=dict(type='lgd_mm.FPNProjection'))))


def test_other_numbers_of_maps():
    with pytest.raises(UserError, match=r'the student gives 3: set model.backbone.out_indices, of a ResNet \(0, 1, 2'):
        FPNProjection(WIDTHS[1:], 12)


def test_a_teacher_without_text_gives_no_names(tmp_path):
    """Nor does it at positions."""
    from tests.test_models.test_structure import second_teacher
    with pytest.raises(UserError, match='lgd_mm.BackboneTeacher knows no text, which names need: take an'):
        MODELS.build(dict(
            type='lgd_mm.FeatureMimicking', backbone={**lgd_model('')['backbone'], 'out_indices': (1, 2, 3)},
            neck=dict(type='lgd_mm.MLPProjection'), teacher=second_teacher(tmp_path),
            dense=dict(type='lgd_mm.DenseGuidance', categories=['cat', 'dog'], templates=['a {}.'])))
