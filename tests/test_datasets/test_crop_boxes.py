"""Which crops of an image lie inside a view of it, and where."""

import numpy as np
import pytest
import torch

from lgd_mm.datasets.views import PackView, RandomView, View
from lgd_mm.datasets.views.crops import Crops, crops_inside

VIEW = View.plain(10, 20, 100, 200)._replace(brightness=1.2, sigma=0.5)


def found(view, *crops):
    inside = dict(crops_inside(view, np.array(crops, np.int32)))
    return list(inside), list(inside.values())


def test_a_box_by_hand():
    """Top 30, left 60, height 40, width 50, in a view of 100 x 200 whose corner is at 10, 20."""
    which, boxes = found(VIEW, (30, 60, 40, 50))
    assert which == [0]
    np.testing.assert_allclose(boxes, [[40 / 200, 20 / 100, 90 / 200, 60 / 100]])
    which, mirrored = found(VIEW._replace(flip=1.), (30, 60, 40, 50))
    np.testing.assert_allclose(mirrored, [[110 / 200, 20 / 100, 160 / 200, 60 / 100]])


@pytest.mark.parametrize('flip', [0, 1])
def test_the_limits_are_met_exactly(flip):
    """Eight tenths inside are enough, and six tenths of the view are not too much; a pixel more or less decides."""
    view = View.plain(0, 0, 100, 100)._replace(flip=flip)
    assert found(view, (50, -10, 10, 50))[0] == [0], '80 % inside'
    assert found(view, (50, -11, 10, 50))[0] == [], '78 %'
    assert found(view, (0, 0, 60, 100))[0] == [0], '60 % of the view'
    assert found(view, (0, 0, 61, 100))[0] == []
    assert found(view, (-15, 0, 75, 100))[0] == [0], 'what is outside covers nothing'
    assert found(view, (0, 0, 100, 100), (200, 200, 5, 5), (100, 0, 9, 9), (5, 5, 1, 1))[0] == [3]
    assert found(view, (0, 0, 0, 0), (3, 3, 0, 9), (3, 3, -4, -4), (30, 30, -29, -29))[0] == [], 'as in a damaged file'


@pytest.mark.parametrize(('flip', 'expected'), [(0, (0, .5, .4, .6)), (1, (.6, .5, 1, .6))])
def test_a_box_is_clipped_to_the_view(flip, expected):
    _, boxes = found(View.plain(0, 0, 100, 100)._replace(flip=flip), (50, -10, 10, 50))
    np.testing.assert_allclose(boxes, [expected])


def test_what_a_box_shows_is_the_crop():
    """Cut out of the mirrored view, it is the mirrored crop."""
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    view = View.plain(4, 6, 32, 32)._replace(flip=1)
    _, boxes = found(view, (10, 14, 8, 12))
    seen = RandomView(32).transform(dict(img=image, view=view))['img']
    left, top, right, bottom = np.multiply(boxes[0], 32).astype(int)
    assert np.array_equal(seen[top:bottom, left:right], image[10:18, 14:26][:, ::-1])


def test_boxes_are_in_pixels_of_the_view():
    crops = Crops(np.array([[.25, 0, .5, 1], [0, 0, 0, 0]], np.float32), np.ones((2, 3), np.float16),
                  np.array([True, False]))
    packed = PackView().transform(dict(
        img=np.zeros((32, 32, 3), np.uint8), view=View.plain(0, 0, 1, 1), coloured=False, sample_idx=0, crops=crops))
    assert torch.equal(packed['crops'].boxes, torch.tensor([[8., 0, 16, 32], [0, 0, 0, 0]]))
    assert packed['crops'].embeddings.dtype == torch.float16 and packed['crops'].valid.tolist() == [True, False]
