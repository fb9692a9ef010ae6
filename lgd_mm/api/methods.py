"""Methods of pre-training: the ready config of each student, and the published run that ``'auto'`` follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recipe:
    """A published run, and what takes its place in short ones.

    Attributes:
        epochs (int): Passes over the images.
        images (int): In its data set.
        batch (int): Images on a GPU.
        lr (float): Learning rate of SGD for ``batch`` images; it grows with the batch.
        image_size (int): Side of a view in pixels.
        least_steps (int): Optimiser steps below which it is too short to learn anything, and AdamW is taken.
        adamw_lr (float): Learning rate of AdamW for 16 images; it grows with the root of the batch.
    """

    epochs: int
    images: int
    batch: int
    lr: float
    image_size: int
    least_steps: int
    adamw_lr: float


@dataclass(frozen=True)
class Method:
    """A method of pre-training.

    Attributes:
        students (Mapping[str, str]): Name -> ready config.
        maps (Mapping[str, tuple[int, ...]]): Name -> ``out_indices`` of strides 8, 16 and 32, for dense guidance.
        timm_config (str): Ready config of any student of timm.
        recipe (Recipe): Where its defaults come from.
    """

    students: Mapping[str, str]
    maps: Mapping[str, tuple[int, ...]]
    timm_config: str
    recipe: Recipe


#: Language-guided distillation, published on ImageNet (`arXiv:2406.11689 <https://arxiv.org/abs/2406.11689>`_).
LGD = Method(
    students={
        'resnet18': 'lgd/r18_pretrain.py',
        'resnet34': 'lgd/r34_pretrain.py',
        'resnet50': 'lgd/r50_pretrain.py',
        'mobilenetv2': 'lgd/mobilenetv2_pretrain.py',
        'mobilenetv3': 'lgd/mobilenetv3-large_pretrain.py',
        'efficientnet_b0': 'lgd/efficientnet-b0_pretrain.py',
        'cspnext-tiny': 'lgd/cspnext-tiny_pretrain.py',
        'cspnext-s': 'lgd/cspnext-s_pretrain.py',
    },
    maps={
        **dict.fromkeys(('resnet18', 'resnet34', 'resnet50'), (1, 2, 3)),
        'mobilenetv2': (2, 4, 7),
        'mobilenetv3': (6, 12, 16),
        'efficientnet_b0': (3, 4, 6),
        **dict.fromkeys(('cspnext-tiny', 'cspnext-s'), (2, 3, 4)),
    },
    timm_config='lgd/timm_pretrain.py',
    recipe=Recipe(epochs=200, images=1_281_167, batch=256, lr=0.03, image_size=224, least_steps=10_000, adamw_lr=5e-4))


@dataclass(frozen=True)
class ComparedMethod:
    """A way to begin that ``lgd-mm compare`` knows.

    Attributes:
        title (str): In tables.
        recipe (str, optional): Of the pre-training (see :func:`lgd_mm.pretrain`); None: there is none.
        model (Mapping[str, object]): What takes the place of LGD in it, on the same backbone, projection and teacher.
    """

    title: str
    recipe: str | None
    model: Mapping[str, object] = field(default_factory=dict)


#: By the names that ``--methods`` takes.
COMPARED: Mapping[str, ComparedMethod] = dict(
    dense=ComparedMethod('dense LGD', 'dense'),
    lgd=ComparedMethod('LGD', 'published'),
    seed=ComparedMethod('SEED', 'published', dict(type='lgd_mm.SEED', queue_length=65536)),
    mimicking=ComparedMethod('mimicking', 'published', dict(type='lgd_mm.FeatureMimicking', distance='cosine')),
    random=ComparedMethod('random weights', None))
