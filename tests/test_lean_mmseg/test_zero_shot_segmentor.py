"""Segmentation by names: the best name of each pixel, whatever the sizes and however many names."""

import pytest
import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample

from lgd_mm.errors import UserError
from lgd_mm.lean_mmseg import ZeroShotSegmentor, zero_shot
from lgd_mm.lean_mmseg.refinement import affinities, refine
from lgd_mm.registry import MODELS
from tests.tiny import lgd_model, write_tiny_teacher

NAMES = ['cat', 'dog', 'bicycle', 'tree', 'house']


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return dict(type='lgd_mm.OpenCLIPTeacher', model=write_tiny_teacher(tmp_path_factory.mktemp('teacher')))


@pytest.fixture
def common(teacher, tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path))
    return dict(teacher=teacher, categories=NAMES, templates=['a photo of a {}.'])


@pytest.fixture
def student(common):
    backbone = dict(lgd_model('')['backbone'], out_indices=(1, 2, 3))
    return lambda **changes: ZeroShotSegmentor(**{'backbone': backbone, **common, **changes}).eval()


def images(height=64, width=96):
    return torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_best_name_of_each_pixel(student):
    model, inputs = student(), images()
    positions = model.pyramid(model.backbone(inputs))
    assert positions.shape == (2, 32, 8, 12)
    similarity = torch.stack([F.cosine_similarity(positions, name.view(1, -1, 1, 1)) for name in model.textual_bank], 1)
    pixels = F.interpolate(similarity, (64, 96), mode='bilinear')
    torch.testing.assert_close(model.encode_decode(inputs), pixels, atol=1e-5, rtol=0)
    found = model(inputs, mode='predict')
    for sample, expected in zip(found, pixels.argmax(1)):
        assert torch.equal(sample.pred_sem_seg.data, expected[None])
    assert model.dataset_meta == dict(classes=NAMES)


@torch.no_grad()
def test_positions_stay_where_they_are_in_an_image_of_any_size(student):
    """Nine positions of 8 pixels see 70 pixels, and are not spread over them: a ninth sees two and six of padding."""
    model, inputs = student(), images(50, 70)
    padded = F.pad(inputs, (0, 26, 0, 14))
    expected = F.interpolate(model.similarities(padded), (64, 96), mode='bilinear')[..., :50, :70]
    torch.testing.assert_close(model.encode_decode(inputs), expected)
    for sample, labels in zip(model(inputs, mode='predict'), expected.argmax(1)):
        assert torch.equal(sample.pred_sem_seg.data[0], labels)


@torch.no_grad()
def test_background_is_what_no_name_reaches(student):
    model, inputs = student(), images()
    best, label = model.encode_decode(inputs).max(1)
    threshold = float(best.median())
    named = student(background=threshold)
    named.load_state_dict(model.state_dict() | {f'dense.{key}': value for key, value in model.state_dict().items()})
    found = torch.stack([sample.pred_sem_seg.data[0] for sample in named(inputs, mode='predict')])
    assert torch.equal(found, torch.where(best < threshold, 0, label + 1))
    assert named.dataset_meta['classes'] == ['background', *NAMES] and 0.4 < float((found == 0).float().mean()) < 0.6


@torch.no_grad()
def test_many_names_go_by_blocks(student, monkeypatch):
    model, inputs = student(), images()
    expected = [sample.pred_sem_seg.data for sample in model(inputs, mode='predict')]
    monkeypatch.setattr(zero_shot, 'BLOCK', 2 * 64 * 96)
    for sample, labels in zip(model(inputs, mode='predict'), expected):
        assert torch.equal(sample.pred_sem_seg.data, labels)


@torch.no_grad()
def test_padding_is_cut_off_and_the_image_gets_its_size_back(student):
    model, inputs = student(), images()
    about = dict(ori_shape=(100, 120), img_shape=(50, 60), padding_size=[0, 36, 0, 14])
    sample, = model(inputs[:1], [SegDataSample(metainfo=about)], mode='predict')
    pixels = F.interpolate(model.encode_decode(inputs[:1])[..., :50, :60], (100, 120), mode='bilinear')
    assert torch.equal(sample.pred_sem_seg.data[0], pixels[0].argmax(0))


@torch.no_grad()
def test_refined_by_the_image_without_its_padding(student, monkeypatch):
    inputs = images()
    model = student(refinement=3)
    pixels = refine(model.encode_decode(inputs[:1])[..., 4:54, 6:66], affinities(inputs[:1, :, 4:54, 6:66]), 3)
    expected = F.interpolate(pixels, (100, 120), mode='bilinear')[0].argmax(0)
    for block in (zero_shot.BLOCK, 2 * 100 * 120):
        monkeypatch.setattr(zero_shot, 'BLOCK', block)
        about = dict(ori_shape=(100, 120), img_shape=(50, 60), padding_size=[6, 30, 4, 10])
        sample, = model(inputs[:1], [SegDataSample(metainfo=about)], mode='predict')
        assert torch.equal(sample.pred_sem_seg.data[0], expected)


@torch.no_grad()
def test_it_is_filled_from_a_dense_pre_training(student, teacher):
    model = {**lgd_model(''), 'teacher': teacher, 'dense': dict(type='lgd_mm.DenseGuidance')}
    model['backbone'].update(out_indices=(1, 2, 3))
    distiller = MODELS.build(model).eval()
    segmentor, inputs = student(), images(32, 32)
    segmentor.load_state_dict(distiller.state_dict())
    embedded = distiller.dense.embed(distiller.backbone(inputs))
    torch.testing.assert_close(segmentor.embed(inputs), embedded)


def test_maps_of_other_strides_are_told_by_the_key_of_a_segmentor(student):
    with pytest.raises(UserError, match=r'^model.pyramid takes maps of strides'):
        student(pyramid=dict(type='lgd_mm.FPNProjection'))


def test_other_checkpoints_are_refused(student):
    with pytest.raises(UserError, match=r'holds no dense.pyramid.\*: .* needs a checkpoint .* with model.dense'):
        student().load_state_dict({'backbone.conv1.weight': torch.zeros(1)})


def test_a_checkpoint_of_several_students_names_theirs(student):
    with pytest.raises(UserError, match=r'is of several students: give r18.pth or small.pth, which lie beside it'):
        student().load_state_dict(
            {f'students.{name}.dense.pyramid.mlp.0.bias': torch.zeros(1) for name in ('small', 'r18')})


@torch.no_grad()
def test_similarities_are_compared_in_full_precision(student):
    model = student()
    with torch.autocast('cpu', torch.bfloat16):
        assert model.similarities(images()).dtype == torch.float32


def test_mistakes(student):
    with pytest.raises(UserError, match='model.background is 3: it must be a number of at least -1 and at most 1'):
        student(background=3)
    for value in ('a', True):
        with pytest.raises(UserError, match='model.background is'):
            student(background=value)
    for value in (-1, 0.5, True, '10', 101):
        with pytest.raises(UserError, match='refinement is .*: it is a number of iterations'):
            student(refinement=value)
    with pytest.raises(UserError, match='is only tested: use tools/test.py'):
        student()(images(), mode='loss')
