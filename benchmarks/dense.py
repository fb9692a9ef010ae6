"""Dense guidance beside the published losses, CLIP RN50's shape to ResNet-18: live, with maps of 7 and 14, and cached,
with crops."""

import os
import tempfile
from collections.abc import Callable
from functools import partial

import torch
from harness import Case, main
from mmengine.device import get_device
from models import SIZE, WIDTH, RandomTeacher, lgd
from step import stepper
from torch import Tensor

from lgd_mm.datasets.views import Crops
from lgd_mm.models.teachers.base import Taught

CATEGORIES = 1000
#: Of each view, as in configs/lgd/r18_dense_cached_pretrain.py.
CROPS = 4


def cases(quick: bool) -> list[Case]:
    """Two cases; the batch is on the device already."""
    os.environ['LGD_CACHE_DIR'] = tempfile.mkdtemp()
    batch = int(os.environ.get('LGD_BENCHMARK_BATCH', 2 if quick else 16))
    images = torch.randn(batch, 3, SIZE, SIZE, device=get_device())
    half = 'fp16' if torch.cuda.is_available() else 'bf16'
    models = {'published losses': lgd(RandomTeacher(half), CATEGORIES)}
    for stride in (32, 16):
        name = f'dense, {SIZE // stride} x {SIZE // stride}'
        models[name] = lgd(RandomTeacher(half, stride), CATEGORIES, dense=dict(type='lgd_mm.DenseGuidance'))
    forms = {name: stepper(model, lambda model=model: sum(model(images, mode='loss').values()), fast=True)
             for name, model in models.items()}
    return [
        Case(f'live step, B = {batch}, C = {CATEGORIES}', forms, baseline='published losses'),
        Case(f'cached step, B = {batch}, C = {CATEGORIES}', cached(images, half), baseline='published losses, cached'),
    ]


def cached(images: Tensor, half: str) -> dict[str, Callable[[], None]]:
    """Steps whose batches (B, 3, H, W) bring the embeddings of a teacher along; all crops are there, at most cost."""
    batch, device = len(images), images.device
    embeddings = torch.randn(batch, WIDTH, device=device).half()
    corners = torch.rand(batch, CROPS, 2, device=device) * SIZE / 2
    crops = Crops(
        torch.cat([corners, corners + SIZE / 4], dim=2), torch.randn(batch, CROPS, WIDTH, device=device).half(),
        torch.ones(batch, CROPS, dtype=torch.bool, device=device))
    forms = {}
    for name, dense, taught in (
        ('published losses, cached', None, embeddings),
        (f'dense, {CROPS} crops', dict(type='lgd_mm.DenseGuidance', mimicking=0.5), Taught(embeddings, crops=crops)),
    ):
        model = lgd(RandomTeacher(half), CATEGORIES, dense=dense)
        losses = partial(model, images, teacher=taught, mode='loss')
        forms[name] = stepper(model, lambda losses=losses: sum(losses().values()), fast=True)
    return forms


if __name__ == '__main__':
    main(cases, __doc__ or '')
