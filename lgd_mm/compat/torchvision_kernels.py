"""mmcv's ``_ext`` operators on torchvision's compiled kernels, with the signatures that ``mmcv.ops`` calls.

The arithmetic is the same as in mmcv's own kernels. Half types are computed in float32 and cast back: torchvision has
no bfloat16 kernels and no half ones on the CPU, where ``--amp`` runs in bfloat16.
"""

import torch
import torchvision  # noqa: F401  (registers torch.ops.torchvision)
from torch import Tensor

from lgd_mm.compat.focal_loss import sigmoid_focal_loss_backward, sigmoid_focal_loss_forward
from lgd_mm.errors import UserError

__all__ = [
    'get_compiler_version', 'get_compiling_cuda_version', 'nms', 'roi_align_backward', 'roi_align_forward',
    'sigmoid_focal_loss_backward', 'sigmoid_focal_loss_forward'
]

AVERAGE = 1  # mmcv's code of pool_mode='avg'


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Indices of the boxes kept by non-maximum suppression, best score first.

    Args:
        boxes (Tensor): Corners ``x1, y1, x2, y2``, shape (N, 4), any float type.
        scores (Tensor): Shape (N, ), any float type.
        iou_threshold (float): A box is dropped when its overlap with a better one is greater.
        offset (int): 0 or 1; width and height are ``x2 - x1 + offset``.

    Returns:
        Tensor: Indices, shape (K, ), int64.
    """
    dtype = torch.promote_types(torch.promote_types(boxes.dtype, scores.dtype), torch.float32)
    # x2 + offset in area and intersection alike is mmcv's own definition.
    shift = torch.tensor([0, 0, offset, offset], dtype=dtype, device=boxes.device)
    return torch.ops.torchvision.nms(boxes.to(dtype) + shift, scores.to(dtype), iou_threshold)


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Pool regions by bilinear averages into ``output``.

    Args:
        input (Tensor): Feature map, shape (B, C, H, W).
        rois (Tensor): Image index and corners, shape (N, 5).
        output (Tensor): Written in place, shape (N, C, aligned_height, aligned_width).
        argmax_y (Tensor): Only of max pooling: unused.
        argmax_x (Tensor): Only of max pooling: unused.
        aligned_height (int): Rows of the pooled map.
        aligned_width (int): Columns of the pooled map.
        spatial_scale (float): Feature-map pixels per image pixel.
        sampling_ratio (int): Samples per bin and direction; 0 takes them densely.
        pool_mode (int): 1, average. Max pooling is an error.
        aligned (bool): Shift by half a pixel, as detectron2 does.

    Raises:
        UserError: If max pooling is asked for.
    """
    _check_average(pool_mode)
    dtype = torch.promote_types(input.dtype, torch.float32)
    output.copy_(
        torch.ops.torchvision.roi_align(
            input.to(dtype), rois.to(dtype), spatial_scale, aligned_height, aligned_width, sampling_ratio, aligned
        )
    )


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Gradient of :func:`roi_align_forward`, written into ``grad_input``; arguments as there."""
    _check_average(pool_mode)
    dtype = torch.promote_types(grad_output.dtype, torch.float32)
    grad_input.copy_(
        torch.ops.torchvision._roi_align_backward(
            grad_output.to(dtype),
            rois.to(dtype),
            spatial_scale,
            aligned_height,
            aligned_width,
            *grad_input.shape,
            sampling_ratio,
            aligned,
        )
    )


def get_compiler_version() -> str:
    """What mmcv's environment report prints as its compiler."""
    return 'none (torchvision kernels)'


def get_compiling_cuda_version() -> str:
    """What mmcv's environment report prints as its CUDA compiler."""
    return 'none (torchvision kernels)'


def _check_average(pool_mode: int) -> None:
    if pool_mode != AVERAGE:
        raise UserError(
            "RoIAlign with pool_mode='max' needs compiled mmcv: use pool_mode='avg' in the RoI layer, or run "
            '`make mmcv-ops` in the checkout of lgd_mm'
        )
