"""Classes told from features: by names, or by the nearest training images."""

import torch
import torch.nn.functional as F
from mmengine.device import get_device
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.evaluation.features import Features
from lgd_mm.models.classifiers.knn import nearest, vote
from lgd_mm.models.zero_shot import zero_shot_scores

#: Images that ask their neighbours at a time.
QUERIES = 256


def by_names(tested: Features, bank: Tensor) -> Tensor:
    """Zero-shot classification, as of :class:`lgd_mm.models.ZeroShotClassifier`.

    Args:
        tested (Features): Of N images, with embeddings.
        bank (Tensor): Textual bank (C, D).

    Returns:
        Tensor: Classes (N, ).

    Raises:
        UserError: If there are fewer names than classes.
    """
    assert tested.embeddings is not None
    highest = int(tested.labels.max())
    if highest >= len(bank):
        raise UserError(f'there are {len(bank)} names, but a test image has the label {highest}: give the name of '
                        'each class, in the order of the labels, as --categories')
    return zero_shot_scores(tested.embeddings, bank).argmax(dim=1)


def by_neighbours(train: Features, tested: Features, k: int, temperature: float) -> Tensor:
    """k-NN, as of :class:`lgd_mm.models.KNNClassifier`.

    Args:
        train (Features): Of the images that vote.
        tested (Features): Of N images.
        k (int): Neighbours that vote.
        temperature (float): Of their votes.

    Returns:
        Tensor: Classes (N, ).

    Raises:
        UserError: If there are fewer than k training images.
    """
    device = get_device()
    bank = F.normalize(train.pooled.float(), dim=1).half().to(device)
    labels, num_classes = train.labels.to(device), int(train.labels.max()) + 1
    queries = F.normalize(tested.pooled.float(), dim=1).to(device)
    votes = [vote(part, bank, labels, num_classes, k, temperature) for part in queries.split(QUERIES)]
    return torch.cat(votes).argmax(dim=1).cpu()


def familiarity(train: Features, tested: Features, k: int) -> Tensor:
    """How near images are to the training images.

    Args:
        train (Features): Of the training images.
        tested (Features): Of N images.
        k (int): Which neighbour counts.

    Returns:
        Tensor: Cosine similarities to the k-th nearest training image (N, ).

    Raises:
        UserError: If there are fewer than k training images.
    """
    device = get_device()
    bank = F.normalize(train.pooled.float(), dim=1).half().to(device)
    queries = F.normalize(tested.pooled.float(), dim=1).to(device)
    found = [nearest(part, bank, train.labels.to(device), k)[0][:, -1] for part in queries.split(QUERIES)]
    return torch.cat(found).cpu()
