"""What a backbone returns, whatever its kind: maps, tokens or vectors."""

import torch
from torch import Tensor, nn


def mean_pool(feature: Tensor) -> Tensor:
    """Average a map (B, d, H, W) or tokens (B, N, d) over positions; a vector (B, d) stays.

    Args:
        feature (Tensor): One of a backbone's outputs.

    Returns:
        Tensor: (B, d).
    """
    return feature.mean(dim={4: (2, 3), 3: (1, )}[feature.dim()]) if feature.dim() > 2 else feature


@torch.no_grad()
def feature_channels(backbone: nn.Module) -> int:
    """Channels of the backbone's last output, found by showing it an empty picture.

    Args:
        backbone (nn.Module): Takes (B, 3, H, W) and returns a tuple of feature maps, as mmpretrain's backbones do.

    Returns:
        int: Channels of the last feature map (B, C, H, W), tokens (B, N, C) or vector (B, C).
    """
    training = backbone.training
    backbone.eval()
    features = backbone(torch.zeros(1, 3, 224, 224))[-1]
    backbone.train(training)
    return features.shape[1] if features.dim() == 4 else features.shape[-1]
