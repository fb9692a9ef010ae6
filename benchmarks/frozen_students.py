"""What a frozen student tells of objects and of positions, image by image."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from coco_objects import IGNORED, Objects, Split
from mmengine.registry import init_default_scope
from numpy.typing import NDArray
from torch import Tensor

from lgd_mm.console.quiet import quietly
from lgd_mm.evaluation import probe
from lgd_mm.evaluation.evaluate import EPOCHS, RATES
from lgd_mm.evaluation.features import Features
from lgd_mm.evaluation.predict import by_neighbours
from lgd_mm.lean_mmseg import IoUMetric
from lgd_mm.registry import MODELS
from lgd_mm.students.network import Student
from lgd_mm.students.read import StudentFile

#: Neighbours and the temperature of their votes, as of the configs.
K, TEMPERATURE = 20, 0.07
#: Passes over the positions, of which there are many.
POSITION_EPOCHS = 10
#: Images that a student is shown at a time.
BATCH = 40


class PerImage(NamedTuple):
    """The mean over C classes of a ratio of sums over N images: accuracy (C = 1), that of each class, or mIoU.

    Attributes:
        right (ndarray): Crops that are told rightly, or intersections (N, C).
        all (ndarray): Crops, or unions (N, C).
    """

    right: NDArray[np.float64]
    all: NDArray[np.float64]

    def values(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """In percent (B, ), each image as often as (B, N) says; a class that is not there does not count."""
        right, whole = weights @ self.right, weights @ self.all
        return 100 * np.nanmean(np.divide(right, whole, out=np.full_like(right, np.nan), where=whole > 0), axis=1)

    @property
    def value(self) -> float:
        """Of all images once, in percent."""
        return float(self.values(np.ones((1, len(self.right))))[0])


def random_student(like: StudentFile, seed: int) -> StudentFile:
    """The backbone of a student with weights that no training has seen."""
    init_default_scope('mmpretrain')
    torch.manual_seed(seed)
    backbone = MODELS.build(like.backbone_config)
    with quietly():  # it tells of each layer
        backbone.init_weights()
    return like._replace(path=f'random weights, seed {seed}', backbone=backbone.state_dict(), neck={}, pyramid={})


def frozen(file: StudentFile) -> Student:
    """The network of a file of a ResNet, with its maps of strides 8, 16 and 32."""
    metadata = {**file.metadata, 'backbone': {**file.backbone_config, 'out_indices': (1, 2, 3)}}
    return Student(file._replace(metadata=metadata, neck={}))


def tell_objects(student: Student, known: Objects, asked: Objects, classes: int) -> dict[str, PerImage]:
    """Tell the classes of objects by those of others, by neighbours and by a linear probe.

    Args:
        student (Student): As of :func:`frozen`.
        known (Objects): What neighbours and probe are taken from.
        asked (Objects): What is told.
        classes (int): Number of classes.

    Returns:
        dict[str, PerImage]: The accuracy of all objects, and the mean of the accuracies of each class.
    """
    with torch.no_grad():
        train, tested = (Features(torch.cat([student(images / 255) for images in objects.images.split(BATCH)]).half(),
                                  objects.labels, None) for objects in (known, asked))
    told = {
        'k-NN': by_neighbours(train, tested, K, TEMPERATURE),
        'probe': _probed(train.pooled, train.labels, probe.hold_out(train.labels, 0), tested.pooled, classes, EPOCHS)}
    return {f'{name}{suffix}': accuracy(predicted, asked, columns)
            for suffix, columns in (('', 1), (', mean of classes', classes)) for name, predicted in told.items()}


def accuracy(predicted: Tensor, asked: Objects, columns: int) -> PerImage:
    """Of all objects (one column), or the mean of the accuracies of each class (as many)."""
    right, count = (np.zeros((int(asked.sources.max()) + 1, columns)) for _ in range(2))
    where = asked.sources.numpy(), asked.labels.numpy() if columns > 1 else 0
    np.add.at(right, where, (predicted == asked.labels).numpy())
    np.add.at(count, where, 1)
    return PerImage(right, count)


def tell_positions(student: Student, known: Split, asked: Split, classes: int) -> PerImage:
    """Tell the label of each position by a linear probe, whose rate is chosen on a tenth of the training images.

    Args:
        student (Student): As of :func:`frozen`.
        known (Split): What the probe is trained with.
        asked (Split): What is told.
        classes (int): Number of classes with the background.

    Returns:
        PerImage: The mIoU.
    """
    maps, tested = (_maps(student, split.whole) for split in (known, asked))
    mean, std = maps.mean(dim=(0, 1, 2)), maps.std(dim=(0, 1, 2)) + 1e-6
    held = torch.zeros_like(known.positions, dtype=torch.bool)
    held[torch.randperm(len(held), generator=torch.Generator().manual_seed(0))[:-(-len(held) // 10)]] = True
    counts = known.positions != IGNORED
    predicted = _probed(((maps - mean) / std)[counts], known.positions[counts], held[counts],
                        ((tested - mean) / std).flatten(0, 2), classes, POSITION_EPOCHS).view(asked.positions.shape)
    areas = [IoUMetric.intersect_and_union(*pair, classes, IGNORED)[:2] for pair in zip(predicted, asked.positions)]
    return PerImage(*(torch.stack(part).double().numpy() for part in zip(*areas)))


@torch.no_grad()
def _maps(student: Student, images: Tensor) -> Tensor:
    """Features at each position (N, H, W, d): the map of stride 8 beside that of stride 16."""
    maps = []
    for part in images.split(BATCH):
        fine, coarse = student.maps(part / 255)[:2]
        maps.append(torch.cat([fine, F.interpolate(coarse, fine.shape[2:], mode='bilinear')], 1).movedim(1, 3))
    return torch.cat(maps)


def _probed(known: Tensor, labels: Tensor, held: Tensor, asked: Tensor, classes: int, epochs: int) -> Tensor:
    """What the probe says whose rate tells most of the held-out part; of equal ones, that of the smallest rate."""
    probes = probe.train_probes(known[~held], labels[~held], classes, RATES, epochs, seed=0)
    best = probe.top1(probes, known[held], labels[held]).argmax()
    return torch.cat([probes.logits(part)[:, best].argmax(dim=1) for part in asked.split(probe.CHUNK)])
