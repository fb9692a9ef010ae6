"""The operators on torchvision's kernels against brute force, hand-computed values and linear algebra."""

import pytest
import torch
from torch import Tensor

from lgd_mm.compat import torchvision_kernels as kernels
from lgd_mm.errors import UserError


def random_boxes(count: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * 60
    size = torch.rand(count, 2, generator=generator) * 30
    return torch.cat([corner, corner + size], dim=1), torch.rand(count, generator=generator)


def brute_force_nms(boxes: Tensor, scores: Tensor, threshold: float, offset: int) -> list[int]:
    """The definition, in double precision and plain Python."""
    rows = boxes.double().tolist()

    def area(x1: float, y1: float, x2: float, y2: float) -> float:
        return max(x2 - x1 + offset, 0) * max(y2 - y1 + offset, 0)

    kept: list[int] = []
    for index in scores.argsort(descending=True, stable=True).tolist():
        x1, y1, x2, y2 = rows[index]
        for other in kept:
            u1, v1, u2, v2 = rows[other]
            inter = area(max(x1, u1), max(y1, v1), min(x2, u2), min(y2, v2))
            if inter > threshold * (area(*rows[index]) + area(*rows[other]) - inter):
                break
        else:
            kept.append(index)
    return kept


def pool(
    features: Tensor, rois: Tensor, size: int = 2, scale: float = 1.0, ratio: int = 2, aligned: bool = True
) -> Tensor:
    output = features.new_zeros(len(rois), features.size(1), size, size)
    nothing = features.new_zeros(0)
    kernels.roi_align_forward(features, rois, output, nothing, nothing, size, size, scale, ratio, 1, aligned)
    return output


@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('threshold', [0.0, 0.3, 0.7])
@pytest.mark.parametrize('count', [0, 1, 150])
def test_nms_is_its_definition(count: int, threshold: float, offset: int) -> None:
    boxes, scores = random_boxes(count, seed=count + offset)
    kept = kernels.nms(boxes, scores, iou_threshold=threshold, offset=offset)
    assert kept.dtype == torch.int64
    assert kept.tolist() == brute_force_nms(boxes, scores, threshold, offset)


def test_nms_offset_decides() -> None:
    # Overlap 1/3 without the offset; (2 * 3) / (3 * 3 + 3 * 3 - 2 * 3) = 1/2 with it.
    boxes, scores = torch.tensor([[0.0, 0, 2, 2], [1, 0, 3, 2]]), torch.tensor([0.9, 0.8])
    assert kernels.nms(boxes, scores, 0.4, 0).tolist() == [0, 1]
    assert kernels.nms(boxes, scores, 0.4, 1).tolist() == [0]


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_nms_takes_scores_of_another_type(dtype: torch.dtype) -> None:
    boxes, scores = random_boxes(80, seed=3)
    scores = scores.to(dtype)
    assert kernels.nms(boxes, scores, 0.5, 0).tolist() == brute_force_nms(boxes, scores, 0.5, 0)


def test_nms_takes_half_boxes() -> None:
    boxes, scores = random_boxes(80, seed=4)
    boxes = boxes.bfloat16()
    assert kernels.nms(boxes, scores.bfloat16(), 0.5, 0).tolist() == brute_force_nms(boxes, scores.bfloat16(), 0.5, 0)


def test_roi_align_of_a_ramp_by_hand() -> None:
    # f(y, x) = 10 y + x at pixel centres; bilinear samples of a plane are exact inside the map.
    features = torch.arange(6.0)[:, None] * 10 + torch.arange(6.0)
    rois = torch.tensor([[0.0, 1, 1, 5, 3]])  # x 1..5, y 1..3: bins are 2 wide and 1 high
    legacy = pool(features[None, None], rois, aligned=False)[0, 0]
    torch.testing.assert_close(legacy, torch.tensor([[15.0 + 2, 15 + 4], [25 + 2, 25 + 4]]))
    # aligned: everything half a pixel up and left
    torch.testing.assert_close(pool(features[None, None], rois)[0, 0], legacy - 5.5)
    # half the scale on a region twice as large is the same region
    torch.testing.assert_close(
        pool(features[None, None], torch.tensor([[0.0, 2, 2, 10, 6]]), scale=0.5)[0, 0], legacy - 5.5
    )


def test_roi_align_takes_the_image_named_by_the_region() -> None:
    features = torch.stack([torch.full((3, 4, 4), float(index)) for index in range(3)])
    pooled = pool(features, torch.tensor([[2.0, 0, 0, 4, 4], [1, 1, 1, 3, 3]]))
    assert pooled.shape == (2, 3, 2, 2)
    assert pooled[0].unique().tolist() == [2.0] and pooled[1].unique().tolist() == [1.0]


@pytest.mark.parametrize('ratio', [0, 1, 3])
@pytest.mark.parametrize('aligned', [True, False])
def test_backward_is_the_transpose_of_forward(ratio: int, aligned: bool) -> None:
    # RoIAlign is linear in the features: <pool(x), g> = <x, pool^T(g)> for every x and g.
    generator = torch.Generator().manual_seed(ratio)
    features = torch.randn(2, 3, 9, 11, dtype=torch.float64, generator=generator)
    boxes, _ = random_boxes(7, seed=ratio)
    rois = torch.cat([torch.tensor([[0.0], [1]]).repeat(4, 1)[:7], boxes], dim=1).double()
    pooled = pool(features, rois, 4, 0.15, ratio, aligned)
    grad = torch.randn(pooled.shape, dtype=torch.float64, generator=generator)
    grad_features, nothing = torch.zeros_like(features), features.new_zeros(0)
    kernels.roi_align_backward(grad, rois, nothing, nothing, grad_features, 4, 4, 0.15, ratio, 1, aligned)
    torch.testing.assert_close((pooled * grad).sum(), (features * grad_features).sum(), rtol=1e-12, atol=1e-12)
    assert grad_features.abs().sum() > 0


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_roi_align_in_half_types_is_rounded_once(dtype: torch.dtype) -> None:
    features = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(0)).to(dtype)
    rois = torch.tensor([[0.0, 0.7, 1.2, 6.1, 7.3]])
    pooled = pool(features, rois)
    assert pooled.dtype == dtype
    torch.testing.assert_close(pooled, pool(features.float(), rois).to(dtype), rtol=0, atol=0)


def test_max_pooling_is_refused() -> None:
    features, nothing = torch.zeros(1, 1, 4, 4), torch.zeros(0)
    for operator in (kernels.roi_align_forward, kernels.roi_align_backward):
        with pytest.raises(UserError, match="pool_mode='max' needs compiled mmcv: use pool_mode='avg'"):
            operator(features, torch.zeros(1, 5), features, nothing, nothing, 2, 2, 1.0, 0, 0, True)
