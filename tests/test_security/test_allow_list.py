"""What is on the list is built as before; what is not is named."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmpretrain.models.backbones.base_backbone import BaseBackbone

from lgd_mm.allow_list import checked, plain
from lgd_mm.bounded_build import bounded_build
from lgd_mm.errors import UserError
from lgd_mm.registry import MODELS as OWN
from lgd_mm.transfer.config_text import data_of, parse_config, write_config
from lgd_mm.transfer.saved_config import saved_network, saved_run
from tests.tiny import ROOT

RESNET = dict(type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4)


@OWN.register_module(force=True)
class OnesOwn(BaseBackbone):
    """A backbone of a user's own program, which has imported it."""


@OWN.register_module(force=True)
class NoBackbone(torch.nn.Module):
    """Something else of it."""


@pytest.mark.parametrize('config', [
    RESNET,
    dict(type='ResNet', depth=18, norm_cfg=dict(type='SyncBN', requires_grad=True), act_cfg=dict(type='ReLU')),
    dict(type='mmpretrain.ConvNeXt', arch='tiny', norm_cfg=dict(type='LN2d', eps=1e-6), act_cfg=dict(type='GELU')),
    dict(type='mmpretrain.TIMMBackbone', model_name='vit_tiny_patch16_224.augreg_in21k', pretrained=False),
    dict(type='mmdet.RegNet', arch='regnetx_1.6gf', out_indices=(0, 1, 2, 3)),
    dict(type='lgd_mm.MobileNetV2', widen_factor=0.5),
    dict(type='lgd_mm.OnesOwn'),
])
def test_backbones_stay_as_they_are(config):
    assert checked(config, 'backbone', 'file', 'backbone') == config


def test_weights_are_those_of_the_file():
    config = dict(RESNET, init_cfg=dict(type='Pretrained', checkpoint='https://x/y.pth'), pretrained='torchvision://x')
    assert checked(config, 'backbone', 'file', 'backbone') == RESNET


@pytest.mark.parametrize('changes, key', [
    (dict(act_cfg=dict(type='subprocess.call')), 'backbone.act_cfg.type'),
    (dict(plugins=[dict(cfg=dict(type='os.system'))]), 'backbone.plugins.0.cfg.type'),
    (dict(type='mmpretrain.HuggingFaceClassifier'), 'backbone.type'), (dict(type='mmpretrain.CLIP'), 'backbone.type'),
    (dict(type='lgd_mm.NoBackbone'), 'backbone.type'), (dict(type='mmengine.ResNet'), 'backbone.type'),
    (dict(style='a/b'), 'backbone.style'), (dict(style='os.path'), 'backbone.style'), (dict(depth=2**20), 'depth'),
    (dict(depth=b'18'), 'depth'), ({'__class__': 1}, '__class__'), (dict(_scope_='os'), '_scope_'),
    (dict(class_weight='pkl'), 'class_weight'),
])
def test_what_is_refused_is_named(changes, key):
    with pytest.raises(UserError, match=f'^the file: .*{key}'):
        checked({**RESNET, **changes}, 'backbone', 'the file', 'backbone')


@pytest.mark.parametrize('name', ['lgd/r18_pretrain.py', 'lgd/timm_pretrain.py', 'baselines/seed-dino_r18_pretrain.py',
                                  'classification/linear_r18_folder.py', 'coco/mask-rcnn_r18_fpn_1x_coco.py',
                                  'ade20k/upernet_r18_80k_ade20k-512x512.py'])
def test_ready_configs_are_on_the_list(name):
    """As their runs leave them: model, loaders and evaluators."""
    cfg = Config.fromfile(ROOT / 'configs' / name)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        kept = saved_run(cfg.pretty_text, 'file')
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(key):
            assert kept[key]['dataset']['type'] == cfg[key].dataset.type
    assert kept['model']['backbone'] == {key: value for key, value in cfg.model.backbone.to_dict().items()
                                         if key not in ('init_cfg', 'pretrained')} | (
        dict(pretrained=False) if 'pretrained' in kept['model']['backbone'] else {})
    if 'teacher' not in cfg.model:
        assert saved_network(cfg.pretty_text, 'file')['model'] == kept['model']


def test_a_network_is_built_as_far_as_its_weights_go():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        with bounded_build([], 'file'):
            model = MODELS.build(RESNET)
        assert sum(value.numel() for value in model.parameters()) == 44_772
        for large in (dict(RESNET, base_channels=60_000), dict(type='mmpretrain.ConvNeXt', arch=dict(
                depths=[9_000, 1, 1, 1], channels=[8, 8, 8, 8])),
                dict(type='mmpretrain.SwinTransformer', arch='tiny', window_size=4096)):
            with pytest.raises(UserError, match='file describes a network far larger than the 1 values in it'), \
                    bounded_build([torch.ones(1)], 'file'):
                MODELS.build(large)


def test_a_dump_is_data(tmp_path):
    cfg = Config(dict(a=dict(b=[1, (2., None)], c="it's\n"), model={'a-b': True}))
    write_config(cfg, tmp_path / 'config.py')
    assert Config.fromfile(tmp_path / 'config.py').to_dict() == cfg.to_dict() == data_of(cfg.pretty_text)
    assert parse_config(cfg.pretty_text) == Config.fromstring(cfg.pretty_text, '.py').to_dict()


@pytest.mark.parametrize('value', [{'x=1)\nimport os\ny=dict(z': 1}, {'a': '{{ fileDirname }}'}, {"a'b": 1, 'c': 2},
                                   {'{{$HOME:x}}': 1}])
def test_a_config_that_would_say_something_else_is_not_written(value, tmp_path):
    try:
        write_config(Config(dict(model=value)), tmp_path / 'config.py')
    except UserError:
        assert not (tmp_path / 'config.py').exists()
    else:
        assert Config.fromfile(tmp_path / 'config.py').model == value


@pytest.mark.parametrize('text', ['import os', 'a = open("x")', 'a = 1\nfor b in a: pass', '_base_ = ["x.py"]', '('])
def test_a_text_that_is_no_data_is_not_run(text):
    with pytest.raises(UserError, match='is not plain data .* and is not run'):
        Config.fromstring(text, '.py')


def test_plain_data():
    assert plain(dict(a=[1, 'x', None, (2., )]), 'file', 'a') == dict(a=[1, 'x', None, (2., )])
    with pytest.raises(UserError, match='file: a.b is a set, which is no plain data'):
        plain(dict(b={1}), 'file', 'a')
