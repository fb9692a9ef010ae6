"""Means of a map over boxes."""

import pytest
import torch
import torch.nn.functional as F

from lgd_mm.models.necks.pyramid import PyramidProjection, box_means, resized


def test_a_mean_by_hand():
    """Of cells 0 1 / 2 3, the box takes a quarter of the left column and all of the right one, the upper row alone."""
    maps = torch.tensor([[[[0., 1], [2, 3]]]])
    boxes = torch.tensor([[[0.375, 0, 1, 0.5], [0, 0, 1, 1], [0.1, 0.6, 0.2, 0.7], [0, 0, 0, 0]]])
    torch.testing.assert_close(box_means(maps, boxes), torch.tensor([[[.8], [1.5], [2.], [0.]]]))


def direct(maps, boxes):
    """Cell by cell."""
    height, width = maps.shape[-2:]
    means = maps.new_zeros(*boxes.shape[:2], maps.shape[1])
    for image, of_image in enumerate(boxes.tolist()):
        for place, (left, top, right, bottom) in enumerate(of_image):
            total = 0.
            for y in range(height):
                for x in range(width):
                    share = (max(0., min(bottom * height, y + 1) - max(top * height, y))
                             * max(0., min(right * width, x + 1) - max(left * width, x)))
                    means[image, place] += share * maps[image, :, y, x]
                    total += share
            means[image, place] /= total
    return means


@pytest.mark.parametrize('size', [(5, 7), (8, 8), (1, 3)])
def test_equal_to_a_direct_loop(size):
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, *size, generator=generator, dtype=torch.float64).float()
    corners = torch.rand(2, 6, 2, 2, generator=generator).sort(dim=2).values
    boxes = torch.stack((corners[:, :, 0, 0], corners[:, :, 0, 1], corners[:, :, 1, 0], corners[:, :, 1, 1]), dim=-1)
    torch.testing.assert_close(box_means(maps, boxes), direct(maps, boxes))


def test_nothing_outside_a_box_learns():
    maps = torch.randn(1, 2, 4, 4, requires_grad=True)
    box_means(maps, torch.tensor([[[0.25, 0.5, 0.75, 0.9]]])).square().sum().backward()
    touched = (maps.grad != 0).all(dim=1)[0]
    expected = torch.zeros(4, 4, dtype=torch.bool)
    expected[2:, 1:3] = True
    assert torch.equal(touched, expected)


def test_half_precision_does_not_move_a_box():
    """Shares of cells are computed in float32, whatever the step is in."""
    maps, boxes = torch.randn(2, 3, 28, 28), torch.tensor([[[0.101, 0.203, 0.304, 0.407]]] * 2)
    expected = box_means(maps.bfloat16().float(), boxes)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = box_means(maps.bfloat16(), boxes)
    assert found.dtype == torch.float32 and torch.equal(found, expected)


def test_a_box_of_the_whole_map_embeds_its_mean():
    torch.manual_seed(0)
    pyramid = PyramidProjection((3, 4), 6, channels=5)
    features = torch.randn(2, 3, 8, 8), torch.randn(2, 4, 4, 4)
    whole = pyramid.embed_boxes(pyramid.merge(features), torch.tensor([[[0., 0, 1, 1]]] * 2))
    torch.testing.assert_close(whole, pyramid(features, (1, 1)))


@pytest.mark.parametrize(('size', 'to'), [((28, 12), (14, 4)), ((7, 5), (3, 2)), ((9, 4), (9, 3))])
def test_smaller_maps_hold_the_means_over_their_positions(size, to):
    maps = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    finer = maps.repeat_interleave(to[0], 2).repeat_interleave(to[1], 3)  # each new position covers whole cells of it
    expected = F.avg_pool2d(finer, size)
    torch.testing.assert_close(resized(maps, to), expected)
    assert resized(maps, size) is maps and resized(maps.bfloat16(), to).dtype == torch.bfloat16
