"""Any backbone in any ready config."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from lgd_mm.api.backbones import backbone_named
from lgd_mm.api.configs import ready_config
from lgd_mm.errors import UserError
from lgd_mm.models.necks import SimpleFeaturePyramid
from lgd_mm.registry import MODELS
from lgd_mm.students.backbone import build_backbone
from lgd_mm.students.file import student_metadata, write_student
from lgd_mm.students.maps import idle_parameters
from lgd_mm.students.plug import plug_student
from lgd_mm.students.swap import use_backbone

SLIM = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)
TIMM = dict(type='lgd_mm.TIMMBackbone', model_name='test_resnet')


def config(name, backbone):
    cfg = Config.fromfile(ready_config(name))
    use_backbone(cfg, backbone_named(backbone))
    return cfg


@pytest.mark.parametrize(('name', 'backbone', 'channels'), [
    ('coco/mask-rcnn_r18_fpn_1x_coco.py', 'timm/swin_tiny_patch4_window7_224', [96, 192, 384, 768]),
    ('lvis/mask-rcnn_r18_fpn_1x_lvis-v1.py', 'efficientnet_b0', [24, 40, 112, 1280]),
    ('ade20k/sem-fpn_r18_160k_ade20k-512x512.py', 'timm/convnext_atto', [40, 80, 160, 320]),
    ('shapes/mask-rcnn_r18-slim_fpn_shapes.py', 'timm/repvit_m0_9', [48, 96, 192, 384]),
])
def test_a_neck_follows(name, backbone, channels):
    cfg = config(name, backbone)
    assert cfg.model.neck.in_channels == channels
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        maps = build_backbone(cfg).to('meta')(torch.zeros(1, 3, 64, 96, device='meta'))
    assert [each.shape[1] for each in maps] == channels
    assert [each.shape[2:] for each in maps] == [(16, 24), (8, 12), (4, 6), (2, 3)]


def test_what_an_fpn_passes_over_is_not_asked_for():
    """Layers without a gradient would stop DistributedDataParallel; where some stay, it is told."""
    retinanet = config('coco/retinanet_r18_fpn_1x_coco.py', 'timm/mobilenetv4_conv_small')
    assert retinanet.model.neck.in_channels == [64, 96, 960] and retinanet.model.neck.start_level == 0
    assert retinanet.model.backbone.out_indices == (2, 3, 4) and not retinanet.get('find_unused_parameters')
    plain = config('coco/atss_r18_fpn_1x_coco.py', 'timm/vit_tiny_patch16_224').model.neck
    assert plain[0].levels == 3 and plain[1].in_channels == [96, 192, 192]
    idle = config('coco/retinanet_r18_fpn_1x_coco.py', 'timm/hrnet_w18_small')
    assert idle.find_unused_parameters
    assert idle_parameters(idle.model.backbone)[0].startswith('timm_model.stage4.0.fuse')


@pytest.mark.parametrize('name', ['supervised', 'simclr', 'seed-simclr', 'mimicking', 'lgd-dense'])
def test_every_pre_training_of_the_suite_takes_another_student(name):
    cfg = config(f'shapes/{name}_r18-slim_shapes.py', 'timm/test_efficientnet')
    width = 256
    if name == 'seed-simclr':
        assert cfg.model.teacher.backbone == cfg.model.backbone
        return
    if name in ('supervised', 'simclr'):
        part = cfg.model.head if name == 'supervised' else cfg.model.neck
        assert part.in_channels == width
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model)
    feature = model.backbone(torch.zeros(2, 3, 64, 64))[-1]
    if name == 'lgd-dense':
        assert len(model.backbone(torch.zeros(2, 3, 64, 64))) == 3
    elif name != 'mimicking':
        assert model.neck((feature, ))[0].shape[0] == 2


def test_rtmdet_takes_three_maps():
    """Of its own strides, from networks with and without finer ones."""
    name = 'coco/rtmdet_tiny_cspnext-tiny_300e_coco.py'
    assert config(name, 'timm/mobilenetv4_conv_small').model.neck.in_channels == [64, 96, 960]
    assert config(name, 'resnet18').model.backbone.out_indices == (1, 2, 3)
    first, neck = config(name, 'timm/vit_tiny_patch16_224').model.neck
    assert first.levels == 3 and neck.in_channels == [96, 192, 192]
    own = config('coco/faster-rcnn_r18_fpn_1x_coco.py', 'cspnext-tiny').model
    assert own.neck.in_channels == [48, 96, 192, 384] and own.backbone.norm_cfg.type == 'SyncBN'


def test_heads_follow():
    cfg = config('cityscapes/pspnet_r18-d8_80k_cityscapes-512x1024.py', 'timm/resnet34')
    assert (cfg.model.decode_head.in_channels, cfg.model.auxiliary_head.in_channels) == (512, 256)
    assert cfg.model.backbone.output_stride == 8
    own = config('cityscapes/pspnet_r18-d8_80k_cityscapes-512x1024.py', 'resnet50').model
    assert own.backbone.dilations == (1, 1, 2, 4) and own.decode_head.in_channels == 2048
    assert own.backbone.norm_cfg.type == 'SyncBN'


@torch.no_grad()
def test_a_plain_transformer_gets_a_simple_pyramid():
    """Behind it, and before the FPN that may be there; upstream's segmentor has none."""
    detector = config('coco/faster-rcnn_r18_fpn_1x_coco.py', 'timm/vit_tiny_patch16_224').model
    first, fpn = detector.neck
    assert first.to_dict() == dict(type='lgd_mm.SimpleFeaturePyramid', in_channels=192, stride=16, levels=4)
    assert detector.data_preprocessor.pad_size_divisor == 32
    assert fpn.in_channels == [48, 96, 192, 192]
    segmentor = config('ade20k/upernet_r18_80k_ade20k-512x512.py', 'timm/eva02_tiny_patch14_224')
    assert segmentor.model.neck.stride == 14 and segmentor.model.decode_head.in_channels == [48, 96, 192, 192]
    with DefaultScope.overwrite_default_scope('mmseg'):
        backbone, neck = build_backbone(segmentor).eval(), MODELS.build(segmentor.model.neck)
    maps = neck(backbone(torch.zeros(1, 3, 112, 224)))
    assert [each.shape[1:] for each in maps] == [(48, 28, 56), (96, 14, 28), (192, 7, 14), (192, 3, 7)]


def test_images_are_padded_for_windows():
    """To sides that divide; upstream's own divisor counts, too."""
    detector = config('coco/faster-rcnn_r18_fpn_1x_coco.py', 'timm/test_maxvit').model
    assert detector.data_preprocessor.pad_size_divisor == 160
    segmentor = config('ade20k/upernet_r18_80k_ade20k-512x512.py', 'timm/test_maxvit').model
    assert segmentor.data_preprocessor.size == (640, 640)
    assert segmentor.data_preprocessor.test_cfg.to_dict() == dict(size_divisor=160)


@torch.no_grad()
def test_positions_stay_where_they_are():
    """In the pyramid of a map of another stride: a map that holds each position's own place."""
    pyramid = SimpleFeaturePyramid(8, stride=14, levels=2)
    rows = (torch.arange(16) + 0.5) * 14  # in pixels
    place = rows[None, None, :, None].expand(1, 8, 16, 16)
    same, coarse = pyramid([place])
    assert same.shape[2:] == (14, 14)
    inside = same[0, 0, 1:-1, 0]  # at the border there is nothing beyond to interpolate with
    torch.testing.assert_close(inside, (torch.arange(1, 13) + 0.5) * 16)
    assert coarse.shape[2:] == (7, 7)


@torch.no_grad()
@pytest.mark.parametrize(('stride', 'channels'), [(8, (32, 64, 64, 64)), (16, (16, 32, 64, 64)), (32, (8, 16, 32, 64))])
def test_a_pyramid_of_any_stride(stride, channels):
    pyramid = SimpleFeaturePyramid(64, stride=stride)
    maps = pyramid([torch.randn(1, 64, 128 // stride, 64 // stride)])
    assert [each.shape[1:] for each in maps] == [
        (width, 128 // each, 64 // each) for width, each in zip(channels, (4, 8, 16, 32))]
    assert pyramid.channels == channels


def test_pre_training_takes_any():
    """Maps for dense guidance, the last output for the published form."""
    plain = config('lgd/r18_pretrain.py', 'timm/convnext_atto').model.backbone
    assert plain.to_dict() == dict(type='lgd_mm.TIMMBackbone', model_name='convnext_atto')
    dense = config('lgd/r18_dense_pretrain.py', 'timm/convnext_atto').model.backbone
    assert dense.features_only and dense.out_indices == (1, 2, 3)


@pytest.mark.parametrize(('name', 'backbone', 'told'), [
    ('coco/faster-rcnn_r18_fpn_1x_coco.py', 'timm/efficientformerv2_s0', 'takes no images but of 224 x 224 pixels'),
    ('coco/faster-rcnn_r18_fpn_1x_coco.py', 'timm/hiera_tiny_224', 'takes no images but of 224 x 224 pixels'),
    ('lgd/r18_mobilenetv2_pretrain.py', 'resnet18', 'takes the place of model.backbone, which .* does not'),
    ('coco/faster-rcnn_r18_fpn_1x_coco.py', 'timm/resnet18x', "no student is called 'timm/resnet18x'; .*resnet18"),
    ('ade20k/upernet_r18_80k_ade20k-512x512.py', 'timm/levit_128s', 'takes no images but of 224'),
    ('coco/faster-rcnn_r18_fpn_1x_coco.py', 'resnet19', "no student is called 'resnet19'; .*resnet18"),
])
def test_what_does_not_fit_is_told(name, backbone, told):
    with pytest.raises(UserError, match=told):
        config(name, backbone)


def test_names():
    assert backbone_named('resnet34_8xb32_in1k') == dict(
        type='mmpretrain.ResNet', depth=34, num_stages=4, out_indices=(3, ), style='pytorch')
    assert backbone_named('timm/resnet18') == dict(type='lgd_mm.TIMMBackbone', model_name='resnet18')
    assert backbone_named('resnet18')['depth'] == 18


def test_the_backbone_of_a_students_file(tmp_path):
    """Of the file's own size, whatever it says of itself."""
    network = build_backbone(Config(dict(default_scope='mmpretrain', model=dict(backbone=SLIM))))
    for name, told in (('honest', SLIM), ('wild', {**SLIM, 'base_channels': 4096, 'stem_channels': 4096})):
        metadata = student_metadata(dict(model=dict(backbone=told)), 1, {})
        write_student(network.state_dict(), metadata, tmp_path / name)
    assert backbone_named(str(tmp_path / 'honest.safetensors')) == SLIM
    with pytest.raises(UserError, match='wild.safetensors'):
        backbone_named(str(tmp_path / 'wild.safetensors'))


def test_a_student_goes_before_other_weights(tmp_path):
    """timm's own file, which the config named, is not what the network begins with."""
    network = build_backbone(Config(dict(default_scope='mmpretrain', model=dict(backbone=TIMM))))
    metadata = student_metadata(dict(model=dict(backbone=TIMM)), 1, {})
    file, _ = write_student(network.state_dict(), metadata, tmp_path / 'student')
    cfg = Config(dict(default_scope='mmpretrain', model=dict(backbone={**TIMM, 'checkpoint_path': 'x.pth'})))
    plug_student(cfg, file)
    filled = MODELS.build(cfg.model.backbone)
    filled.init_weights()
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in filled.state_dict().items())
