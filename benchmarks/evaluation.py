"""Evaluation: mIoU's areas, the probe's learning rates, and features that are computed once."""

import torch
import torch.nn.functional as F
from harness import Case, main
from mmengine.device import get_device
from mmseg.evaluation import IoUMetric as MMSegIoUMetric
from torch import Tensor

from lgd_mm.evaluation.features import Features
from lgd_mm.evaluation.predict import by_names, by_neighbours
from lgd_mm.evaluation.probe import train_probes
from lgd_mm.lean_mmseg import IoUMetric
from lgd_mm.models.features import mean_pool
from lgd_mm.registry import MODELS

RATES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


def confusion() -> Case:
    """A map of ADE20K's usual size: areas of 150 classes, three pixels in ten wrong."""
    generator = torch.Generator().manual_seed(0)

    def areas() -> Tensor:
        blocks = torch.randint(151, (1, 1, 16, 22), generator=generator)
        return F.interpolate(blocks.float(), size=(512, 683))[0, 0].long()

    label = areas()
    prediction = label.where(torch.rand(label.shape, generator=generator) > 0.3, areas()).clamp(max=149)
    arguments = prediction.to(get_device()), label.where(label < 150, 255).to(get_device()), 150, 255
    return Case('areas of 150 classes, 512 x 683', {
        'mmseg': lambda: MMSegIoUMetric.intersect_and_union(*arguments),
        'bincount': lambda: IoUMetric.intersect_and_union(*arguments),
    }, baseline='mmseg')


def sweep(quick: bool) -> Case:
    """Seven rates, together and one by one."""
    images, epochs = (2_000, 2) if quick else (10_000, 5)
    features = torch.randn(images, 512, generator=torch.Generator().manual_seed(0)).half().to(get_device())
    labels = torch.arange(images, device=get_device()) % 100

    def train(*rates: float) -> Tensor:
        return train_probes(features, labels, 100, rates, epochs, seed=0).bias.cpu()  # waits for the device

    return Case(f'{len(RATES)} rates of a probe, {images} images', {
        'one by one': lambda: [train(rate) for rate in RATES],
        'together': lambda: train(*RATES),
    }, baseline='one by one')


def features(quick: bool) -> Case:
    """k-NN, zero-shot and probe of a ResNet-18: each with its own pass over the images, or on the same features."""
    count, size = (64, 64) if quick else (256, 128)
    backbone = MODELS.build(dict(type='mmpretrain.ResNet', depth=18)).to(get_device())
    backbone.eval()
    neck = MODELS.build(dict(type='lgd_mm.MLPProjection', in_channels=512, out_channels=256)).to(get_device())
    bank = F.normalize(torch.randn(10, 256), dim=1)
    views = torch.randn(2, count, 3, size, size, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(count) % 10

    @torch.no_grad()
    def look(images: Tensor) -> Features:
        outputs = [backbone(batch.to(get_device())) for batch in images.split(32)]
        pooled = torch.cat([mean_pool(maps[-1]) for maps in outputs]).half().cpu()
        return Features(pooled, labels, torch.cat([neck(maps) for maps in outputs]).half().cpu())

    def judge(knn: tuple[Features, Features], named: Features, probed: Features) -> None:
        by_neighbours(*knn, k=20, temperature=0.07)
        by_names(named, bank)
        train_probes(probed.pooled.to(get_device()), labels.to(get_device()), 10, RATES, epochs=20, seed=0)

    def once() -> None:
        train, test = map(look, views)
        judge((train, test), test, train)

    def each() -> None:
        train, test = views
        judge((look(train), look(test)), look(test), look(train))

    return Case(f'three evaluations, {count} + {count} images', {
        'a pass for each': each,
        'features once': once,
    }, baseline='a pass for each')


def cases(quick: bool) -> list[Case]:
    """All comparisons."""
    return [confusion(), sweep(quick), features(quick)]


if __name__ == '__main__':
    main(cases, __doc__ or '')
