"""Every config builds and trains one step; no basename twice."""

from collections import Counter

import pytest
import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope
from mmengine.structures import PixelData

import lgd_mm  # noqa: F401 - makes mmdet:: and mmseg:: configs readable
from tests.tiny import ROOT, write_tiny_teacher

SIZE = 64
FOLDER = ROOT / 'configs'
CONFIGS = sorted(path.relative_to(FOLDER) for path in FOLDER.rglob('*.py') if '_base_' not in path.parts)
DOWNSTREAM = [path for path in CONFIGS if path.parts[0] in ('coco', 'ade20k')]
STUDENTS = {'r18': ('mmpretrain.ResNet', [64, 128, 256, 512]), 'mobilenetv2': ('lgd_mm.MobileNetV2', [24, 32, 96, 320])}


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return write_tiny_teacher(tmp_path_factory.mktemp('teacher'))


def images():
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (3, SIZE, SIZE), dtype=torch.uint8, generator=generator) for _ in range(2)]


def lgd_batch(cfg):
    from mmpretrain.structures import DataSample
    return dict(inputs=torch.stack(images()), data_samples=[DataSample(), DataSample()])


def detection_batch(cfg):
    from mmdet.testing import demo_mm_inputs
    return demo_mm_inputs(
        2, [[3, SIZE, SIZE]] * 2,
        num_items=[2, 2],
        num_classes=cfg.model.roi_head.bbox_head.num_classes,
        with_mask='mask_head' in cfg.model.roi_head)


def segmentation_batch(cfg):
    from mmseg.structures import SegDataSample
    samples = []
    for seed in range(2):
        labels = torch.randint(
            0, cfg.model.decode_head.num_classes, (1, SIZE, SIZE), generator=torch.Generator().manual_seed(seed))
        samples.append(
            SegDataSample(
                gt_sem_seg=PixelData(data=labels), metainfo=dict(img_shape=(SIZE, SIZE), ori_shape=(SIZE, SIZE))))
    return dict(inputs=images(), data_samples=samples)


def small(cfg, teacher):
    """The config with a stand-in teacher, or at a small size, and the function that makes its batch."""
    if cfg.model.type == 'lgd_mm.LGD':
        cfg.model.teacher = dict(type='lgd_mm.OpenCLIPTeacher', model=teacher)
        cfg.model.lgka.templates = ['a photo of a {}.']
        return lgd_batch
    if cfg.default_scope == 'mmseg':
        cfg.model.data_preprocessor.size = (SIZE, SIZE)
        return segmentation_batch
    assert cfg.default_scope == 'mmdet', f'no batch is known for {cfg.filename}'
    return detection_batch


def test_basenames_are_unique():
    """mmengine finds configs by name, and so do people."""
    counts = Counter(path.name for path in FOLDER.rglob('*.py'))
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_builds_and_trains_a_step(path, teacher, tmp_path_factory, monkeypatch):
    """All parameters get a gradient, so that DistributedDataParallel needs no ``find_unused_parameters``."""
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path_factory.getbasetemp() / 'banks'))
    cfg = Config.fromfile(FOLDER / path)
    make_batch = small(cfg, teacher)
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    model = revert_sync_batchnorm(MODELS.build(cfg.model)).train()
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = {name: parameter.detach().clone() for name, parameter in model.backbone.named_parameters()}

    data = model.data_preprocessor(make_batch(cfg), training=True)
    loss, _ = model.parse_losses(model(**data, mode='loss'))
    wrapper.backward(loss)
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert [name for name, parameter in trained.items() if parameter.grad is None] == []
    wrapper.step()

    assert torch.isfinite(loss) and loss > 0
    assert any(not torch.equal(parameter, before[name]) for name, parameter in model.backbone.named_parameters())


@pytest.mark.parametrize('path', DOWNSTREAM, ids=lambda path: path.stem)
def test_downstream_backbone(path):
    """mmpretrain's keys, strides 4 to 32, the channels that the next part expects, all of it trained."""
    cfg = Config.fromfile(FOLDER / path)
    init_default_scope(cfg.default_scope)
    kind, channels = STUDENTS[path.stem.split('_')[1]]
    backbone = cfg.model.backbone
    assert backbone.type == kind
    assert (backbone.frozen_stages, backbone.norm_eval, backbone.norm_cfg.type) == (-1, False, 'SyncBN')

    network = MODELS.build(backbone)
    network.eval()
    features = network(torch.zeros(1, 3, SIZE, SIZE))
    assert [tuple(feature.shape[1:]) for feature in features] == [
        (channel, SIZE // stride, SIZE // stride) for channel, stride in zip(channels, (4, 8, 16, 32))
    ]
    if cfg.default_scope == 'mmdet':
        assert cfg.model.neck.in_channels == channels
    else:
        assert cfg.model.pretrained is None
        assert cfg.model.decode_head.in_channels == channels
        assert cfg.model.auxiliary_head.in_channels == channels[cfg.model.auxiliary_head.in_index]
        assert cfg.model.decode_head.num_classes == cfg.model.auxiliary_head.num_classes == 150
        assert next(step for step in cfg.train_pipeline if step.type == 'LoadAnnotations').reduce_zero_label


@pytest.mark.parametrize('path', DOWNSTREAM, ids=lambda path: path.stem)
def test_downstream_statistics_are_imagenet(path):
    """Those the student was pre-trained with."""
    from lgd_mm.models.distiller import IMAGENET_PREPROCESSOR
    preprocessor = Config.fromfile(FOLDER / path).model.data_preprocessor
    assert preprocessor.mean == IMAGENET_PREPROCESSOR['mean'] and preprocessor.std == IMAGENET_PREPROCESSOR['std']
    assert preprocessor.bgr_to_rgb


@pytest.mark.parametrize('student', STUDENTS)
@pytest.mark.parametrize('thousands', [80, 160])
def test_ade20k_schedule_is_upstreams(student, thousands):
    """The short schedule is derived from the long one; both must be mmseg's."""
    ours = Config.fromfile(FOLDER / f'ade20k/upernet_{student}_{thousands}k_ade20k-512x512.py')
    theirs = Config.fromstring(f"_base_ = 'mmseg::_base_/schedules/schedule_{thousands}k.py'", '.py')
    for key in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'default_hooks'):
        assert _plain(ours[key]) == _plain(theirs[key]), key


def _plain(value):
    """A config without the scope that inheritance notes in it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key != '_scope_'}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
