"""Settings are those of the published code, rate by rate, weight by weight, layer by layer."""

import math

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, PARAM_SCHEDULERS, TRANSFORMS, init_default_scope
from torch import nn

from lgd_mm.datasets.views.recipe import Recipe
from tests.configs import FOLDER, read_config


def rates(cfg, model=None):
    """The rates of all epochs, by mmengine's schedulers; of each group of the optimiser."""
    init_default_scope('mmpretrain')
    wrapper = build_optim_wrapper(model or nn.Linear(1, 1), cfg.optim_wrapper)
    assert not any(part.get('convert_to_iter_based') for part in cfg.param_scheduler)
    parts = [PARAM_SCHEDULERS.build(part, default_args=dict(optimizer=wrapper)) for part in cfg.param_scheduler]
    found = []
    for _ in range(cfg.train_cfg.max_epochs):
        found.append([group['lr'] for group in wrapper.optimizer.param_groups])
        for part in parts:
            part.step()
    return [found[0] for found in found] if len(found[0]) == 1 else found


def warming_up(start, top, epoch, then):
    """The authors' schedules, which are SEED's: five epochs from the rate of 256 images to that of the batch."""
    return start + (top - start) / 5 * epoch if epoch < 5 else top * then


@pytest.mark.parametrize(('path', 'epochs', 'off'), [
    ('lgd/r18_pretrain.py', 200, 1e-3), ('lgd/mobilenetv2_pretrain.py', 200, 1e-3),
    ('lgd/r18_90e_pretrain.py', 90, 5e-3), ('lgd/mobilenetv2_90e_pretrain.py', 90, 5e-3),
    ('baselines/seed_r18_pretrain.py', 200, 1e-3)], ids=lambda value: str(value).rpartition('/')[2])
def test_rates_of_a_pretraining(path, epochs, off):
    found = rates(read_config(path))
    assert len(found) == epochs and found[0] == pytest.approx(0.03)
    for epoch, rate in enumerate(found):
        expected = warming_up(0.03, 0.24, epoch, (1 + math.cos(math.pi * epoch / epochs)) / 2)
        assert rate == pytest.approx(expected, rel=off if 0 < epoch < 5 else 1e-9), epoch


@pytest.mark.parametrize('path', sorted((FOLDER / 'classification').glob('linear_*')), ids=lambda path: path.stem)
def test_rates_of_a_linear_probe(path):
    found = rates(read_config(path))
    assert len(found) == 100 and found[:6] == pytest.approx([30, 72, 114, 156, 198, 240])
    assert found == pytest.approx([warming_up(30, 240, epoch, 0.1**((epoch >= 60) + (epoch >= 80)))
                                   for epoch in range(100)])


@pytest.mark.parametrize('student', ['r18', 'mobilenetv2'])
@pytest.mark.parametrize('data', ['folder', 'caltech256'])
def test_rates_of_a_fine_tuning(student, data):
    """Ten times the rate of the backbone for the new layer; it warms up by iterations."""
    cfg = read_config(f'classification/finetune_{student}_{data}.py')
    assert 8 * cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 256
    init_default_scope('mmpretrain')
    model = MODELS.build(cfg.model)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    length = 10
    parts = [PARAM_SCHEDULERS.build(part, default_args=dict(optimizer=wrapper, epoch_length=length))
             for part in cfg.param_scheduler]
    weights = {id(weight): name for name, weight in model.named_parameters()}
    found = []
    for _ in range(100 * length):
        found.append({weights[id(group['params'][0])]: group['lr'] for group in wrapper.optimizer.param_groups})
        for part in parts:
            part.step()
    for step in (0, 1, 25, 49, 50, 400, 999):
        warm = 0.01 + 0.99 * step / (5 * length - 1)
        factor = warm if step < 5 * length else (1 + math.cos(math.pi * (step - 5 * length) / (95 * length))) / 2
        for name, rate in found[step].items():
            assert rate == pytest.approx((1 if name.startswith('head.') else 0.1) * factor), (step, name)


@pytest.mark.parametrize('student', ['r18', 'mobilenetv2'])
def test_compress_is_its_authors(student):
    """Their train_student.py: SGD at 0.01 for 256 images, no head, RandomResizedCrop and flips."""
    cfg = read_config(f'baselines/compress_{student}_pretrain.py')
    assert rates(cfg) == pytest.approx([0.01] * 90 + [0.002] * 30 + [0.0004] * 10)
    assert 8 * cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 256
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.momentum, optimizer.weight_decay) == ('SGD', 0.9, 1e-4)
    model = cfg.model
    assert 'neck' not in model and model.queue_length == 128000
    recipe = TRANSFORMS.build(cfg.train_dataloader.dataset.pipeline[1]).recipe
    assert recipe == Recipe(scale=(0.08, 1.0), jitter_prob=0, grey_prob=0, blur_prob=0)
    assert recipe.ratio == (3 / 4, 4 / 3) and recipe.flip_prob == 0.5


@pytest.mark.parametrize('path', ['lgd/r18_pretrain.py', 'lgd/r34_pretrain.py', 'lgd/r50_pretrain.py',
                                  'lgd/r18_coco-names_coco-images_pretrain.py', 'baselines/seed_r18_pretrain.py'])
def test_residual_branches_begin_at_one(path):
    """As torchvision's, whose ResNets the authors train; mmpretrain's begin at zero unless told."""
    init_default_scope('mmpretrain')
    backbone = MODELS.build(read_config(path).model.backbone)
    backbone.init_weights()
    scales = [module.weight for module in backbone.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert all(torch.equal(scale, torch.ones_like(scale)) for scale in scales)


def test_students_trained_together_begin_as_alone():
    together = read_config('lgd/r18_mobilenetv2_pretrain.py').model.students.r18.backbone
    assert together == read_config('lgd/r18_pretrain.py').model.backbone


@pytest.mark.parametrize(('ours', 'theirs'), [
    ('pspnet_r18-d8', 'pspnet/pspnet_r18-d8'), ('pspnet_mobilenetv2-d8', 'mobilenet_v2/mobilenet-v2-d8_pspnet')])
def test_convolutions_of_pspnet_are_upstreams(ours, theirs, tmp_path):
    """Each looks as far and steps as far as mmseg's; ResNet's stem alone is of one layer, as the student's."""
    (tmp_path / 'upstream.py').write_text(f"_base_ = 'mmseg::{theirs}_4xb2-80k_cityscapes-512x1024.py'")
    upstream = Config.fromfile(tmp_path / 'upstream.py')
    init_default_scope('mmseg')
    found = []
    for cfg in (read_config(f'cityscapes/{ours}_80k_cityscapes-512x1024.py'), upstream):
        backbone = MODELS.build(cfg.model.backbone)
        found.append([(conv.kernel_size, conv.stride, conv.dilation, conv.padding, conv.groups, conv.out_channels)
                      for name, conv in backbone.named_modules()
                      if isinstance(conv, nn.Conv2d) and not name.startswith(('conv1', 'stem'))])
    assert found[0] == found[1]
    assert {dilation for _, _, dilation, *_ in found[0]} == {(1, 1), (2, 2), (4, 4)}
