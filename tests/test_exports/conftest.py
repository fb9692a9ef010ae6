"""Students as a pre-training leaves them, with weights that make every layer count."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from lgd_mm.datasets.shapes.scene import draw_scene
from lgd_mm.exports import figures
from lgd_mm.registry import MODELS
from tests.tiny import lgd_model, write_tiny_teacher

#: Side of the views, in pixels.
SIZE = 112
BACKBONES = dict(
    slim=dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8),
    resnet=dict(type='mmpretrain.ResNet', depth=18),
    mobilenet_v2=dict(type='mmpretrain.MobileNetV2', widen_factor=0.35),
    mobilenet_v3=dict(type='mmpretrain.MobileNetV3', arch='small'),
    cspnext=dict(
        type='mmdet.CSPNeXt', deepen_factor=0.167, widen_factor=0.375, norm_cfg=dict(type='BN'),
        act_cfg=dict(type='mmdet.SiLU', inplace=True)),
    efficientnet=dict(type='mmpretrain.EfficientNet', arch='b0'),
    ghostnet=dict(type='mmpretrain.TIMMBackbone', model_name='ghostnet_050'),
    mobilenet_v2_full=dict(type='mmpretrain.MobileNetV2'),
    timm_resnet=dict(type='lgd_mm.TIMMBackbone', model_name='resnet18'),
    vit=dict(type='lgd_mm.TIMMBackbone', model_name='test_vit'))


@pytest.fixture(autouse=True)
def one_pass(monkeypatch):
    """Nobody reads the latencies of tests."""
    monkeypatch.setattr(figures, 'WARM_UP', 0)
    monkeypatch.setattr(figures, 'TIMED', 1)


@pytest.fixture(scope='session')
def teacher(tmp_path_factory):
    return write_tiny_teacher(tmp_path_factory.mktemp('teacher'))


@pytest.fixture(scope='session')
def pretrained(tmp_path_factory, teacher):
    """A function from a name of BACKBONES to the model and its checkpoint."""
    folder, made = tmp_path_factory.mktemp('pretrained'), {}

    def make(name):
        if name not in made:
            made[name] = _pretrain(lgd_model(teacher) | dict(backbone=BACKBONES[name]), folder / f'{name}.pth')
        return made[name]

    return make


def _pretrain(config, path):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(Config(config).to_dict())
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:  # statistics of real activations, and no two alike: exchanged layers are seen
        norm.momentum = 1.0
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, 0, 0.2)
    rng = np.random.default_rng(1)
    scenes = np.stack([draw_scene(rng, 64, most=4).image for _ in range(16)])
    with torch.no_grad():
        model.train().backbone(normalised(torch.from_numpy(scenes).permute(0, 3, 1, 2).float() / 255))
        model.eval()
        embeddings = model.embed(normalised(torch.from_numpy(scenes).permute(0, 3, 1, 2).float() / 255))
        model.neck.mlp[2].bias -= embeddings.mean(dim=0)  # around zero, so that they point into all directions
    loader = dict(dataset=dict(pipeline=[dict(type='lgd_mm.RandomView', size=SIZE)]))
    cfg = Config(dict(model=config, train_dataloader=loader))
    torch.save(dict(meta=dict(cfg=cfg.pretty_text, iter=7), state_dict=model.state_dict()), path)
    return model, path


def normalised(images):
    """What a backbone takes, by ImageNet's statistics, of RGB in [0, 1]."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)))
    return (images * 255 - mean) / std


@pytest.fixture(scope='session')
def images():
    """Two images that no export was checked on, RGB (2, 3, 96, 96) in [0, 1]."""
    rng = np.random.default_rng(2)
    scenes = np.stack([draw_scene(rng, 96, most=3).image for _ in range(2)])
    return torch.from_numpy(scenes).permute(0, 3, 1, 2).float() / 255


@pytest.fixture
def close():
    """Compare tensors by their largest value, as rounding asks for."""

    def check(found, expected, tolerance=1e-4):
        assert found.shape == expected.shape
        assert (found - expected).abs().max() <= tolerance * expected.abs().max()

    return check
