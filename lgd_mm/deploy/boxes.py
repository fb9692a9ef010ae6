"""What detectors do with boxes, in operators that ONNX has; the arithmetic is that of mmdet and mmcv."""

import math
from typing import Any

import torch
from torch import Tensor


def decode(coder: Any, priors: Tensor, deltas: Tensor, size: Tensor) -> Tensor:
    """Boxes of anchors and of what a head says about them, as ``DeltaXYWHBBoxCoder`` decodes them, or of points, as
    ``DistancePointBBoxCoder`` does.

    Args:
        coder (Any): Of mmdet; one of these two classes.
        priors (Tensor): Anchors (N, 4), as corners, or points (N, 2).
        deltas (Tensor): (N, 4).
        size (Tensor): Height and width that boxes are clipped to, (2, ).

    Returns:
        Tensor: Corners (N, 4).
    """
    if priors.shape[1] == 2:
        corners = torch.cat([priors - deltas[:, :2], priors + deltas[:, 2:]], 1)
    else:
        deltas = deltas * deltas.new_tensor(coder.stds) + deltas.new_tensor(coder.means)
        sides = priors[:, 2:] - priors[:, :2]
        shift, most = sides * deltas[:, :2], abs(math.log(16 / 1000))
        if getattr(coder, 'add_ctr_clamp', False):
            shift = shift.clamp(-coder.ctr_clamp, coder.ctr_clamp)
            grown = sides * deltas[:, 2:].clamp(max=most).exp()
        else:
            grown = sides * deltas[:, 2:].clamp(-most, most).exp()
        centre = (priors[:, :2] + priors[:, 2:]) * 0.5 + shift
        corners = torch.cat([centre - grown * 0.5, centre + grown * 0.5], 1)
    if not coder.clip_border:
        return corners
    return torch.minimum(corners.clamp(min=0), size.flip(0).repeat(2).to(corners))


def best(scores: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """The highest scores, or all if there are fewer, also of a traced number.

    Args:
        scores (Tensor): (N, ).
        most (int): How many; all for 0 and less.

    Returns:
        tuple[Tensor, Tensor]: Scores and their places, the highest first.
    """
    number = torch._shape_as_tensor(scores)[0]
    if most > 0:
        number = torch.minimum(number, torch.tensor(most))
    traced = torch.jit.is_tracing()  # type: ignore[attr-defined]
    return scores.topk(number if traced else int(number))  # type: ignore[arg-type]


def suppress(boxes: Tensor, scores: Tensor, groups: Tensor, threshold: float, most: int) -> Tensor:
    """Non-maximum suppression within groups, as mmcv's ``batched_nms``: the groups are moved apart.

    Args:
        boxes (Tensor): Corners (N, 4).
        scores (Tensor): (N, ).
        groups (Tensor): Classes or levels (N, ), int64.
        threshold (float): Overlap from which on a box is dropped.
        most (int): Boxes that are kept at most.

    Returns:
        Tensor: Places of the boxes that are kept, the best first.
    """
    farthest = torch.cat([boxes.flatten(), boxes.new_zeros(1)]).max()  # of no box at all there is no maximum
    apart = boxes + (groups.to(boxes) * (farthest + 1))[:, None]
    kept: Tensor = torch.ops.torchvision.nms(apart, scores, threshold)
    return kept[:most] if most > 0 else kept


def sides_exceed(boxes: Tensor, least: float) -> Tensor:
    """Which boxes (N, 4) are wider and higher than ``least``; all for less than 0."""
    if least < 0:
        return torch.ones_like(boxes[:, 0], dtype=torch.bool)
    return ((boxes[:, 2:] - boxes[:, :2]) > least).all(1)


def scale_of(image_size: Tensor, original_size: Tensor) -> Tensor:
    """What corners in the original image are multiplied by: (4, ), of x and y twice."""
    return (image_size.float() / original_size).flip(0).repeat(2)


def places(which: Tensor) -> Tensor:
    """Of what is true (N, ), int64."""
    return which.nonzero()[:, 0]
