"""A live step with dense guidance beside the published one, CLIP RN50's shape to ResNet-18: maps of 7 and 14."""

import os
import tempfile

import torch
from harness import Case, main
from mmengine.device import get_device
from models import SIZE, RandomTeacher, lgd
from step import stepper

CATEGORIES = 1000


def cases(quick: bool) -> list[Case]:
    """One case; the batch is on the device already."""
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
    return [Case(f'live step, B = {batch}, C = {CATEGORIES}', forms, baseline='published losses')]


if __name__ == '__main__':
    main(cases, __doc__ or '')
