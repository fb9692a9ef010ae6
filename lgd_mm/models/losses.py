"""The losses, each a function of what it compares."""

from typing import cast

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from lgd_mm.models.necks.lgka import Pair
from lgd_mm.models.necks.pyramid import resized

#: Similarities of positions, to names or to each other, that are held at once: 64 MB of float32.
BLOCK = 2**24


def alignment_loss(pair: Pair, student_temperature: float, teacher_temperature: float) -> Tensor:
    """Cross entropy of the student's distribution over a bank against the teacher's: of LGD (a bank) and SEED (a
    queue).

    Args:
        pair (Pair): Student and teacher similarities, each (B, N).
        student_temperature (float): Divides the student's.
        teacher_temperature (float): Divides the teacher's.

    Returns:
        Tensor: Mean over the batch, ().
    """
    student, teacher = pair
    return F.cross_entropy(student / student_temperature, F.softmax(teacher / teacher_temperature, dim=1))


def dense_textual_loss(student: Tensor, teacher: Tensor, bank: Tensor, student_temperature: float,
                       teacher_temperature: float, weight: Tensor | None = None,
                       background: float | None = None) -> Tensor:
    """The textual alignment loss of every position.

    With many names it goes through the positions in blocks, which the backward pass computes again: at no time are
    there similarities of all positions to all names.

    Args:
        student (Tensor): Unit embeddings of N positions (N, D).
        teacher (Tensor): The teacher's of the same positions (N, D), of unit length.
        bank (Tensor): Textual bank (C, D), rows of unit length.
        student_temperature (float): Divides the student's similarities.
        teacher_temperature (float): Divides the teacher's.
        weight (Tensor, optional): Of each position (N, ), not negative. Defaults to None: all count alike.
        background (float, optional): Similarity of student and teacher alike to "none of the names", which stands
            beside them. Defaults to None: there is a name for each position.

    Returns:
        Tensor: Weighted mean over the positions, ().
    """
    def similarities(embeddings: Tensor) -> Tensor:
        found = embeddings @ bank.T
        return found if background is None else F.pad(found, (0, 1), value=background)

    def of(student: Tensor, teacher: Tensor) -> Tensor:  # (n, )
        target = F.softmax(similarities(teacher) / teacher_temperature, dim=1)
        return F.cross_entropy(similarities(student) / student_temperature, target, reduction='none')

    rows = max(1, BLOCK // len(bank))
    if len(student) <= rows:
        losses = of(student, teacher)
    else:
        losses = torch.cat([
            cast(Tensor, checkpoint(of, *block, use_reentrant=False, preserve_rng_state=False))
            for block in zip(student.split(rows), teacher.split(rows))])
    return weighted_mean(losses, weight)


def structure_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """How alike the positions of an image are, after a teacher whose embeddings need not be in the student's space:
    each position has a distribution over those of its image, by the cosines to them, and the student's is drawn to the
    teacher's.

    With many positions it goes through them in blocks, which the backward pass computes again, as
    :func:`dense_textual_loss` does.

    Args:
        student (Tensor): Maps (B, d, H, W), not normalised.
        teacher (Tensor): The teacher's of the same images (B, D, h, w), not normalised; the finer of both becomes the
            means at the positions of the coarser.
        temperature (float): Divides the cosines of both.

    Returns:
        Tensor: Mean of the Kullback-Leibler divergences over positions and images, ().
    """
    size = min(student.shape[-2], teacher.shape[-2]), min(student.shape[-1], teacher.shape[-1])
    ours, theirs = (F.normalize(resized(maps.float(), size).flatten(2), dim=1) for maps in (student, teacher))

    def of(some_ours: Tensor, some_theirs: Tensor) -> Tensor:  # of n of the N positions of each image: (B, n)
        logits = some_ours.transpose(1, 2) @ ours / temperature
        target = F.log_softmax(some_theirs.transpose(1, 2) @ theirs / temperature, dim=2)
        return F.kl_div(F.log_softmax(logits, dim=2), target, reduction='none', log_target=True).sum(dim=2)

    images, _, positions = ours.shape
    block = max(1, BLOCK // (images * positions))
    if positions <= block:
        return of(ours, theirs).mean()
    return torch.cat([
        cast(Tensor, checkpoint(of, *some, use_reentrant=False, preserve_rng_state=False))
        for some in zip(ours.split(block, dim=2), theirs.split(block, dim=2))], dim=1).mean()


def cosine_loss(student: Tensor, teacher: Tensor, weight: Tensor | None = None) -> Tensor:
    """One minus the cosine: of images it is feature mimicking, of positions its dense form.

    Args:
        student (Tensor): Unit embeddings (N, D).
        teacher (Tensor): The teacher's (N, D), of unit length.
        weight (Tensor, optional): Of each (N, ), not negative. Defaults to None: all count alike.

    Returns:
        Tensor: Weighted mean, ().
    """
    return weighted_mean(1 - (student * teacher).sum(dim=1), weight)


def weighted_mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Mean of values (N, ) by their weights (N, ); 0 where nothing has any weight.

    Of several processes, whose gradients are averaged, each divides by the mean of their weights: so every value counts
    alike, in whichever process it is.
    """
    if weight is None:
        return values.mean()
    total = weight.sum()
    all_reduce(total, 'mean')
    return (values * weight).sum() / total.clamp(min=torch.finfo(weight.dtype).eps)
