"""A whole training step, CLIP RN50's shape to ResNet-18: published form, live, cached, and the student alone."""

import os
import tempfile
from collections.abc import Callable

import torch
from harness import Case, main
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from models import SIZE, WIDTH, RandomTeacher, lgd, resnet50
from naive import Step
from torch import Tensor, nn

from lgd_mm.engine.amp import CPUAmpOptimWrapper

CATEGORIES = 1000


def stepper(model: nn.Module, loss: Callable[[], Tensor], fast: bool) -> Callable[[], None]:
    """Forward, backward and SGD, as published or as the configs have it."""
    sgd = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4, fused=fast)
    if fast and not torch.cuda.is_available():
        wrapper = CPUAmpOptimWrapper(sgd)
    elif fast:
        from mmengine.optim import AmpOptimWrapper
        wrapper = AmpOptimWrapper(optimizer=sgd, dtype='float16')
    else:
        wrapper = OptimWrapper(sgd)

    def step() -> None:
        with wrapper.optim_context(model):
            value = loss()
        wrapper.update_params(value)

    return step


def cases(quick: bool) -> list[Case]:
    """One case; the batch is on the device already."""
    os.environ['LGD_CACHE_DIR'] = tempfile.mkdtemp()
    batch = int(os.environ.get('LGD_BENCHMARK_BATCH', 8 if quick else 32))
    images = torch.randn(batch, 3, SIZE, SIZE, device=get_device())
    embeddings = torch.randn(batch, WIDTH, device=get_device())
    half = 'fp16' if torch.cuda.is_available() else 'bf16'

    published, live, cached, alone, compiled = (lgd(RandomTeacher(half), CATEGORIES) for _ in range(5))
    student = nn.Sequential(published.backbone, published.neck)
    naive = Step(student, resnet50(), published.lgka.textual_bank).to(get_device())
    naive.seen, naive.visual_bank = naive.seen.to(get_device()), naive.visual_bank.to(get_device())
    forms = {
        'published form': stepper(student, lambda: naive(images), fast=False),
        'live': stepper(live, lambda: sum(live(images, mode='loss').values()), fast=True),
        'cached': stepper(cached, lambda: sum(cached(images, teacher=embeddings, mode='loss').values()), fast=True),
        'student alone': stepper(alone, lambda: alone.embed(images).float().square().mean(), fast=True),
    }
    if not quick:  # compiling takes a minute
        compiled.backbone.compile()
        compiled.teacher.compile()
        forms['live, compiled'] = stepper(compiled, lambda: sum(compiled(images, mode='loss').values()), fast=True)
    return [Case(f'step, B = {batch}, C = {CATEGORIES}', forms, baseline='published form')]


if __name__ == '__main__':
    main(cases, __doc__ or '')
