"""mmcv's focal loss of ``_ext`` in torch's own operators: RetinaNet, FCOS and ATSS ask for it on a GPU."""

import torch
import torch.nn.functional as F
from torch import Tensor


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Write the focal loss of each score (`arXiv:1708.02002 <https://arxiv.org/abs/1708.02002>`_) into ``output``.

    Args:
        input (Tensor): Scores before the sigmoid, shape (N, C), any float type.
        target (Tensor): The class of each row, shape (N, ), int64; C is the background.
        weight (Tensor): Of each class, shape (C, ); empty for 1.
        output (Tensor): Written in place, shape (N, C).
        gamma (float): How much less those count that are right already.
        alpha (float): Share of the right class; the others have ``1 - alpha``.
    """
    score, _, share = _right_way_up(input, target, weight, alpha)
    output.copy_(-share * torch.sigmoid(-score) ** gamma * F.logsigmoid(score))


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Gradient of :func:`sigmoid_focal_loss_forward`, written into ``grad_input``; arguments as there."""
    score, sign, share = _right_way_up(input, target, weight, alpha)
    wrong = torch.sigmoid(-score)
    slope = wrong - gamma * (1 - wrong) * F.logsigmoid(score)
    grad_input.copy_(-sign * share * wrong**gamma * slope)


def _right_way_up(input: Tensor, target: Tensor, weight: Tensor, alpha: float) -> tuple[Tensor, Tensor, Tensor]:
    """Scores that are to become large, the sign that makes them so, and the share of each in the loss."""
    scores = input.to(torch.promote_types(input.dtype, torch.float32))
    own = target[:, None] == torch.arange(input.size(1), device=input.device)
    sign = own.to(scores) * 2 - 1
    share = own.to(scores) * (2 * alpha - 1) + 1 - alpha
    weights = F.pad(weight, (0, 1), value=1.)  # of the background, too
    return scores * sign, sign, share * weights[target][:, None] if weight.numel() else share
