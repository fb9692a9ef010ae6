"""What a student of vision and language learns from a teacher that sees the same tokens: DistillVLM's three losses."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lgd_mm.models.losses import weighted_mean


def attention_loss(student: Tensor, teacher: Tensor, valid: Tensor, average_heads: bool = False) -> Tensor:
    """Squared differences of attention maps, summed over what a token looks at.

    A sum, and a mean over tokens that are there: a mean over all T x T pairs would be near 1e-5, and rows of padding
    say nothing.

    Args:
        student (Tensor): Of the last block (B, H, T, T), rows look at columns.
        teacher (Tensor): The same of the teacher.
        valid (Tensor): Which tokens are no padding: bool (B, T).
        average_heads (bool): Compare the means over the heads. Defaults to False: head by head.

    Returns:
        Tensor: Mean over tokens and heads, ().
    """
    if average_heads:
        student, teacher = student.mean(dim=1, keepdim=True), teacher.mean(dim=1, keepdim=True)
    of_tokens = (student - teacher).square().sum(dim=3).mean(dim=1)  # (B, T)
    return weighted_mean(of_tokens.flatten(), valid.flatten().float())


def token_contrastive_loss(student: Tensor, teacher: Tensor, queue: Tensor, valid: Tensor,
                           temperature: float) -> Tensor:
    """Noise-contrastive estimation of each token's hidden state: the teacher's own among those of other tokens.

    Args:
        student (Tensor): Unit hidden states in the teacher's space (B, T, D).
        teacher (Tensor): The teacher's (B, T, D), of unit length.
        queue (Tensor): Of earlier tokens (K, D), of unit length.
        valid (Tensor): Which tokens are no padding: bool (B, T).
        temperature (float): Divides the cosines.

    Returns:
        Tensor: Mean over tokens, ().
    """
    student = student / temperature  # few numbers; the products are hundreds of times as many
    own, others = (student * teacher).sum(dim=2), student @ queue.T  # (B, T), (B, T, K)
    of_tokens = torch.logaddexp(own, others.logsumexp(dim=2)) - own
    return weighted_mean(of_tokens.flatten(), valid.flatten().float())


def soft_label_loss(student: Tensor, teacher: Tensor, valid: Tensor, temperature: float = 1.) -> Tensor:
    """Cross entropy of the student's distribution over words or answers against the teacher's.

    Args:
        student (Tensor): Logits (..., C).
        teacher (Tensor): The teacher's.
        valid (Tensor): Which of them count: bool (...).
        temperature (float): Divides both. Defaults to 1.

    Returns:
        Tensor: Mean over those that count, ().
    """
    student, teacher = (logits.flatten(0, -2).float() / temperature for logits in (student, teacher))
    losses = F.cross_entropy(student, teacher.softmax(dim=1), reduction='none')
    return weighted_mean(losses, valid.flatten().float())
