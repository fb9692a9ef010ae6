"""Logistic regression on the features of few images."""

import torch
import torch.nn.functional as F
from torch import Tensor

#: Weight of the penalty, of MSN's published evaluation.
PENALTY = 0.00025
#: Steps of the solver at most, and the largest slope that ends it.
STEPS, FLAT = 2000, 1e-6


def unit(features: Tensor) -> Tensor:
    """Features of each image less their mean, at length 1, in float64.

    Args:
        features (Tensor): (N, d).

    Returns:
        Tensor: (N, d).
    """
    features = features.double()
    return F.normalize(features - features.mean(dim=1, keepdim=True), dim=1)


def fit_logistic(features: Tensor, labels: Tensor, num_classes: int, penalty: float = PENALTY) -> Tensor:
    """Multinomial logistic regression with an L2 penalty and without bias, as MSN evaluates with few labels
    (`arXiv:2204.07141 <https://arxiv.org/abs/2204.07141>`_, ``logistic_eval.py``): the one weight that minimises
    sum of cross entropies + penalty / 2 * sum of squares.

    It has no learning rate, length or seed that would have to be chosen, for which few labels leave no images: what
    differs between draws is the images. torch's L-BFGS finds it.

    Args:
        features (Tensor): (N, d), of :func:`unit`.
        labels (Tensor): Classes (N, ), on the same device.
        num_classes (int): Number of classes C.
        penalty (float): Defaults to 0.00025.

    Returns:
        Tensor: (C, d), float64.
    """
    weight = features.new_zeros(num_classes, features.shape[1]).requires_grad_()
    solver = torch.optim.LBFGS([weight], max_iter=STEPS, tolerance_grad=FLAT, tolerance_change=0, history_size=20,
                               line_search_fn='strong_wolfe')

    def objective() -> Tensor:
        solver.zero_grad()
        loss = F.cross_entropy(features @ weight.T, labels, reduction='sum') + penalty / 2 * weight.square().sum()
        loss.backward()
        return loss

    with torch.enable_grad():
        solver.step(objective)
    return weight.detach()
