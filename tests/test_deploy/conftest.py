"""Small fine-tuned networks with weights that tell boxes and classes apart, as their checkpoints hold them."""

import re
from functools import cache

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import nn

from tests.tiny import ROOT

BACKBONE = {'model.backbone.stem_channels': 8, 'model.backbone.base_channels': 8, 'model.backbone.init_cfg': None}
#: Name -> config, and what makes it small.
NETWORKS = {
    'faster': ('coco/faster-rcnn_r18_fpn_1x_coco.py', {
        'model.neck.in_channels': [8, 16, 32, 64], 'model.roi_head.bbox_head.fc_out_channels': 32}),
    'mask': ('coco/mask-rcnn_r18_fpn_1x_coco.py', {
        'model.neck.in_channels': [8, 16, 32, 64], 'model.roi_head.bbox_head.fc_out_channels': 32,
        'model.roi_head.mask_head.conv_out_channels': 8, 'model.roi_head.mask_head.num_convs': 1}),
    'retina': ('coco/retinanet_r18_fpn_1x_coco.py', {
        'model.neck.in_channels': [8, 16, 32, 64], 'model.bbox_head.stacked_convs': 1}),
    'atss': ('coco/atss_r18_fpn_1x_coco.py', {
        'model.neck.in_channels': [8, 16, 32, 64], 'model.bbox_head.stacked_convs': 1}),
    'rtmdet': ('coco/rtmdet_tiny_r18_300e_coco.py', {'model.neck.in_channels': [16, 32, 64]}),
    'rtmdet-ins': ('coco/rtmdet-ins_tiny_r18_300e_coco.py', {'model.neck.in_channels': [16, 32, 64]}),
    'upernet': ('ade20k/upernet_r18_80k_ade20k-512x512.py', {
        'model.decode_head.in_channels': [8, 16, 32, 64], 'model.decode_head.channels': 16,
        'model.auxiliary_head.in_channels': 32}),
    'sem-fpn': ('ade20k/sem-fpn_r18_160k_ade20k-512x512.py', {'model.neck.in_channels': [8, 16, 32, 64]}),
    'segformer': ('ade20k/segformer_r18_160k_ade20k-512x512.py', {
        'model.decode_head.in_channels': [8, 16, 32, 64], 'model.decode_head.channels': 16}),
    'linear-seg': ('ade20k/linear-seg-frozen_r18_40k_ade20k-512x512.py', {'model.decode_head.in_channels': 64}),
    'classifier': ('classification/finetune_r18_folder.py', {
        'model.head.in_channels': 64, 'model.head.num_classes': 3}),
}
CLASSES = ('cat', 'dog', 'guinea pig')
SCALE = (96, 64)


@pytest.fixture(scope='session')
def finetuned(tmp_path_factory):
    """Checkpoints by the names of :data:`NETWORKS`, whose models ``changed`` may change."""

    @cache
    def make(name, changed=None):
        file, own = NETWORKS[name]
        cfg = Config.fromfile(ROOT / 'configs' / file)
        cfg.merge_from_dict({**BACKBONE, **own})
        _shrink(cfg)
        if changed:
            changed(cfg.model)
        network = dict(cfg.model)
        if cfg.get('data_preprocessor'):
            network.setdefault('data_preprocessor', cfg.data_preprocessor)
        with torch.random.fork_rng(), DefaultScope.overwrite_default_scope(cfg.default_scope):
            torch.manual_seed(0)
            model = MODELS.build(network)
            _spread(model)
        path = tmp_path_factory.mktemp('run') / 'epoch_1.pth'
        meta = dict(cfg=cfg.pretty_text, dataset_meta=dict(classes=CLASSES), iter=1, epoch=1)
        torch.save(dict(meta=meta, state_dict=model.state_dict()), path)
        return path

    return make


def _shrink(cfg):
    """Three classes, small images, few proposals, and every box that is likelier than others told of."""
    for key in ('bbox_head', 'mask_head'):
        if key in cfg.model.get('roi_head', {}):
            cfg.model.roi_head[key].num_classes = 3
        if key in cfg.model:
            cfg.model[key].num_classes = 3
    for key in ('decode_head', 'auxiliary_head'):
        if cfg.model.get(key):
            cfg.model[key].num_classes = 3
    if cfg.default_scope == 'mmdet':
        test_cfg = cfg.model.test_cfg
        part = test_cfg.get('rcnn', test_cfg)
        part.update(score_thr=0.4 if 'rcnn' in test_cfg else 0.1, max_per_img=20)
        if 'rpn' in test_cfg:
            test_cfg.rpn.update(nms_pre=100, max_per_img=50)
        else:
            test_cfg.nms_pre = 100
    cfg.test_dataloader.dataset.data_root = 'nowhere'
    for step in cfg.test_dataloader.dataset.pipeline:
        if step.type.endswith('Resize'):
            step.scale = SCALE
        elif step.type == 'Pad':
            step.size = SCALE
        elif step.type == 'ResizeEdge':
            step.scale = 72
        elif step.type == 'CenterCrop':
            step.crop_size = 64


def _spread(model):
    """Weights of which scores far from each other come."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
        elif isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.8, 1.2)
    for name, module in model.named_modules():  # boxes near their anchors, and scores that are not all 0 or 1
        if isinstance(module, nn.Conv2d | nn.Linear) and (last := re.search(r'_(reg|cls)(\.|$)', name)):
            module.weight.data.mul_(0.1 if last[1] == 'reg' else 0.05)
