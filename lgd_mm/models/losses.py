"""The loss that LGD and SEED share: a student's distribution over a bank or a queue is pulled to its teacher's."""

import torch.nn.functional as F
from torch import Tensor

from lgd_mm.models.necks.lgka import Pair


def alignment_loss(pair: Pair, student_temperature: float, teacher_temperature: float) -> Tensor:
    """Cross entropy of the student's distribution over a bank against the teacher's.

    Args:
        pair (Pair): Student and teacher similarities, each (B, N).
        student_temperature (float): Divides the student's.
        teacher_temperature (float): Divides the teacher's.

    Returns:
        Tensor: Mean over the batch, ().
    """
    student, teacher = pair
    return F.cross_entropy(student / student_temperature, F.softmax(teacher / teacher_temperature, dim=1))
