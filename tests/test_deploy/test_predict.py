"""``predict.py`` prepares images and pastes masks as OpenMMLab does, by numpy and Pillow."""

import cv2
import numpy as np
import pytest
import torch
from mmdet.models.roi_heads.mask_heads.fcn_mask_head import _do_paste_mask
from PIL import Image

from lgd_mm.datasets.loading import decode
from lgd_mm.deploy import predict
from lgd_mm.deploy.check import about
from lgd_mm.deploy.graph import Graph
from lgd_mm.deploy.pipeline import steps_of
from lgd_mm.deploy.reference import read
from lgd_mm.deploy.source import read_finetuned
from lgd_mm.errors import UserError


def test_sizes_change_as_opencv_changes_them():
    rng = np.random.default_rng(0)
    for height, width, rows, columns in [(48, 64, 96, 128), (333, 500, 200, 301), (2, 3, 7, 1), (1, 1, 5, 4),
                                         *rng.integers(1, 200, (40, 4)).tolist()]:
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        expected = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_array_equal(predict.resized(pixels, rows, columns), expected)


@pytest.mark.parametrize('name', ['mask', 'rtmdet', 'upernet', 'classifier'])
def test_pixels_are_those_of_the_test_pipeline(name, finetuned, tmp_path):
    network = read_finetuned(finetuned(name))
    steps = about(network, Graph(tmp_path / 'x.onnx', (), None, True, False))['steps']
    for height, width in ((71, 133), (200, 111), (64, 96), (100, 100)):
        pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / 'one.png')
        found, scale = predict.prepared(predict.upright(str(tmp_path / 'one.png')), steps)
        expected = read(network, tmp_path / 'one.png')
        np.testing.assert_array_equal(found, expected['inputs'].permute(1, 2, 0).flip(2).numpy())
        if name in ('mask', 'rtmdet'):
            np.testing.assert_allclose(scale[::-1], expected['data_samples'].scale_factor, rtol=1e-6)


def test_a_photograph_is_turned_as_the_camera_says(tmp_path):
    pixels = np.zeros((8, 12, 3), np.uint8)
    pixels[:4] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    Image.fromarray(pixels).save(tmp_path / 'one.png', exif=exif)
    assert predict.upright(str(tmp_path / 'one.png')).shape == (12, 8, 3)
    assert predict.upright(Image.new('L', (5, 4), 7)).tolist() == [[[7] * 3] * 5] * 4


@pytest.mark.parametrize('mode', ['I;16', 'LA', 'L', 'RGBA', 'P', '1'])
def test_pixels_of_any_kind_are_those_of_the_training(mode, tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (7, 9, 4), dtype=np.uint8)
    image = Image.fromarray(values.view('<u2')[..., 0]) if mode == 'I;16' else Image.fromarray(values).convert(mode)
    assert image.mode == mode
    image.save(tmp_path / 'one.png')
    expected = decode((tmp_path / 'one.png').read_bytes())[..., ::-1]
    np.testing.assert_array_equal(predict.upright(str(tmp_path / 'one.png')), expected)


def test_masks_lie_where_mmdet_pastes_them():
    rng = np.random.default_rng(0)
    corners = rng.uniform(-3, 60, (30, 2, 2))
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1).astype(np.float32)
    boxes[:2] = [[0, 0, 50, 40], [10.5, 3.25, 11, 39]]
    masks = rng.random((30, 28, 28)).astype(np.float32)
    expected, _ = _do_paste_mask(torch.from_numpy(masks)[:, None], torch.from_numpy(boxes), 40, 50, skip_empty=False)
    for mask, box, own in zip(masks, boxes, expected.numpy()):
        found = predict.pasted(mask, box, (40, 50))
        np.testing.assert_array_equal(found >= 0.5, own >= 0.5)
        left, top, right, bottom = np.clip(box, 0, 50).astype(int)
        np.testing.assert_allclose(found[top:bottom, left:right], own[top:bottom, left:right], atol=2e-5)


@pytest.mark.parametrize('step, said', [
    (dict(type='RandomFlip', prob=0.5), 'RandomFlip'),
    (dict(type='Resize', scale=(8, 8), interpolation='nearest'), 'resizes by nearest of cv2'),
    (dict(type='Resize', scale_factor=0.5), 'scale_factor=0.5'),
    (dict(type='Pad', size_divisor=32), 'size_divisor=32'),
    (dict(type='mmpretrain.CenterCrop', crop_size=4, auto_pad=True), 'auto_pad=True'),
])
def test_a_step_that_no_one_can_do_outside_is_told(step, said):
    with pytest.raises(UserError, match=said):
        steps_of([dict(type='LoadImageFromFile'), step], 'run/epoch_1.pth')


def test_a_letterbox_that_is_too_small_is_told():
    assert predict.letterboxed(np.ones((3, 4, 3), np.uint8), [5, 6]).shape == (5, 6, 3)
    with pytest.raises(ValueError, match='3 x 4 pixels is larger than the graph, 2 x 6'):
        predict.letterboxed(np.ones((3, 4, 3), np.uint8), [2, 6])
