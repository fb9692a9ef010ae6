"""Masks as mmseg's transform loads them, and what it would take for others."""

import numpy as np
import pytest
from mmengine.registry import TRANSFORMS, DefaultScope
from PIL import Image

from lgd_mm.datasets.mask_file import mask_header
from lgd_mm.errors import UserError
from lgd_mm.own_data.check_labels import CheckLabels

LABELS = np.arange(4, dtype=np.uint8).reshape(2, 2)


@pytest.fixture(scope='module')
def check():
    """Loads a mask as a run does that has four classes."""
    with DefaultScope.overwrite_default_scope('mmseg'):
        load = TRANSFORMS.get('mmseg.LoadAnnotations')

    def check(mask, path, shift=False, shape=(2, 2, 3), backend='pillow'):
        mask.save(path)
        results = dict(seg_map_path=str(path), img_path='a.jpg', ori_shape=shape, reduce_zero_label=shift,
                       label_map=None, seg_fields=[])
        return CheckLabels(load(imdecode_backend=backend), 4).transform(results)['gt_seg_map']

    return check


def palette(labels):
    mask = Image.fromarray(labels)
    mask.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    return mask


@pytest.mark.parametrize('mask', [
    Image.fromarray(LABELS), Image.fromarray(LABELS.astype(np.uint16)), palette(LABELS)], ids=lambda mask: mask.mode)
def test_numbers_of_any_width_are_labels(check, tmp_path, mask):
    labels = check(mask, tmp_path / 'a.png')
    assert labels.dtype == np.uint8 and np.array_equal(labels, LABELS)


def test_one_bit_and_more_than_16(check, tmp_path):
    assert check(Image.fromarray(LABELS > 1), tmp_path / 'a.png').tolist() == [[0, 0], [1, 1]]
    assert np.array_equal(check(Image.fromarray(LABELS.astype(np.int32)), tmp_path / 'a.tif'), LABELS)


def test_what_counts_from_1(check, tmp_path):
    assert check(Image.fromarray(LABELS + 1), tmp_path / 'a.png', shift=True).tolist() == LABELS.tolist()
    with pytest.raises(UserError, match='a.png has the label 5, but there are 4 classes, labels 1 to 4 .255 is'):
        check(Image.fromarray(LABELS + 2), tmp_path / 'a.png', shift=True)


@pytest.mark.parametrize(('kind', 'label', 'name'), [
    (np.uint16, 256, 'a.png'), (np.uint16, 257, 'a.png'), (np.uint16, 511, 'a.png'), (np.int32, 65536, 'a.tif'),
    (np.int32, -1, 'a.tif'), (np.uint8, 4, 'a.png'), (np.uint8, 254, 'a.png')])
@pytest.mark.parametrize('shift', [False, True])
def test_a_label_that_is_no_class(check, tmp_path, kind, label, name, shift):
    mask = np.array([[1, 1], [1, label + (label == 4 and shift)]], kind)
    with pytest.raises(UserError, match=f'{name} has the label {mask[1, 1]}, .*: label {mask[1, 1]} is no class'):
        check(Image.fromarray(mask), tmp_path / name, shift)


def test_a_mask_that_exif_would_turn(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(LABELS).save(tmp_path / 'a.png', exif=exif)
    with pytest.raises(UserError, match='mask .*a.png has an EXIF orientation, by which nothing turns it: take the'):
        mask_header(tmp_path / 'a.png')


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'LA'])
def test_colours(check, tmp_path, mode):
    with pytest.raises(UserError, match=rf'a.png is an image of colours \({mode}\)'):
        check(Image.new(mode, (2, 2)), tmp_path / 'a.png')


def test_a_palette_that_opencv_makes_colours_of(check, tmp_path):
    with pytest.raises(UserError, match='a.png is an image of colours: a mask holds the number'):
        check(palette(LABELS), tmp_path / 'a.png', backend='cv2')


def test_a_mask_that_does_not_lie_on_its_image(check, tmp_path):
    with pytest.raises(UserError, match='a.png is 2 x 2, and its image a.jpg is 3 x 2 as read: make them'):
        check(Image.fromarray(LABELS), tmp_path / 'a.png', shape=(2, 3, 3))
    with pytest.raises(UserError, match='a.png is 2 x 3, .* is 3 x 2 as read: if EXIF turns .*mogrify.*exiftool'):
        check(Image.new('L', (2, 3)), tmp_path / 'a.png', shape=(2, 3, 3))
