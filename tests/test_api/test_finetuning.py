"""finetune() and evaluate(): the ready configs with any student and a user's data."""

import shutil
from unittest import mock

import pytest
import torch
from mmengine.config import Config

import lgd_mm
from lgd_mm.api.configs import ready_config
from lgd_mm.api.finetuning import TASKS
from lgd_mm.api.schedules import scale_schedule
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.students import network, read
from lgd_mm.students.backbone import build_backbone
from lgd_mm.students.swap import use_backbone
from tests.own_sets import write_coco_set, write_masks
from tests.test_api.conftest import CLASSES


def ready(config: str) -> Config:
    return Config.fromfile(ready_config(config))


@pytest.mark.parametrize(('backbone', 'channels'), [
    (dict(type='mmpretrain.ResNet', depth=34), [64, 128, 256, 512]),
    (dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8), [8, 16, 32, 64]),
    (dict(type='mmpretrain.MobileNetV2'), [24, 32, 96, 320]),
    (dict(type='mmpretrain.MobileNetV3', arch='large'), [24, 40, 112, 960]),
    (dict(type='mmpretrain.EfficientNet', arch='b0'), [24, 40, 112, 1280]),
    (dict(type='mmdet.CSPNeXt', deepen_factor=0.167, widen_factor=0.375, norm_cfg=dict(type='BN'),
          act_cfg=dict(type='mmdet.SiLU')), [48, 96, 192, 384]),
], ids=['resnet34', 'slim', 'mobilenetv2', 'mobilenetv3', 'efficientnet_b0', 'cspnext'])
def test_any_student_gives_four_maps(backbone, channels):
    """At strides 4 to 32, all of it trained; the heads take their channels."""
    detector, segmentor = ready(TASKS['detection']), ready(TASKS['segmentation'])
    use_backbone(detector, {**backbone, 'frozen_stages': 1})
    use_backbone(segmentor, backbone)
    assert detector.model.neck.in_channels == segmentor.model.decode_head.in_channels == channels
    assert segmentor.model.auxiliary_head.in_channels == channels[2]
    network = build_backbone(detector)
    network.train()  # where stages are frozen
    assert any(isinstance(module, torch.nn.SyncBatchNorm) for module in network.modules())
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_students_of_timm():
    """Their maps where a task takes maps; behind their last layers for classification."""
    timm = dict(type='mmpretrain.TIMMBackbone', model_name='ghostnet_100')
    detector, classifier = ready(TASKS['detection']), ready(TASKS['classification'])
    use_backbone(detector, timm)
    assert detector.model.neck.in_channels == [24, 40, 80, 160]
    assert detector.model.backbone.to_dict() == dict(
        type='lgd_mm.TIMMBackbone', model_name='ghostnet_100', features_only=True, out_indices=(1, 2, 3, 4),
        norm_cfg=dict(type='SyncBN'))
    use_backbone(classifier, timm)
    assert classifier.model.head.in_channels == 1280 and classifier.model.neck.type == 'GlobalAveragePooling'
    tokens = dict(type='mmpretrain.TIMMBackbone', model_name='vit_tiny_patch16_224', img_size=128)
    use_backbone(classifier, tokens)
    assert classifier.model.head.in_channels == 192 and classifier.model.neck.type == 'lgd_mm.MeanPooling'


def test_schedules_keep_their_proportions():
    """By epochs, with a warm-up in iterations; by iterations; as a single part."""
    detector, segmentor, classifier = (ready(TASKS[task]) for task in ('detection', 'segmentation', 'classification'))
    scale_schedule(detector, epochs=24, iterations=1000)  # of 12
    assert detector.train_cfg.max_epochs == 24
    assert [(part.type, part.end) for part in detector.param_scheduler] == [('LinearLR', 500), ('MultiStepLR', 24)]
    assert detector.param_scheduler[1].milestones == [16, 22]
    scale_schedule(detector, epochs=3, iterations=100)
    assert [part.end for part in detector.param_scheduler] == [30, 3]
    assert detector.param_scheduler[1].milestones == [2, 3]
    scale_schedule(detector, epochs=3, iterations=4)  # a warm-up of one iteration would last for ever
    assert [part.type for part in detector.param_scheduler] == ['MultiStepLR']

    scale_schedule(segmentor, epochs=10, iterations=40)  # of 80,000 iterations
    assert (segmentor.train_cfg.max_iters, segmentor.train_cfg.val_interval) == (400, 200)
    assert [(part.begin, part.end) for part in segmentor.param_scheduler] == [(0, 400)]
    assert segmentor.default_hooks.checkpoint.interval == 200

    scale_schedule(classifier, epochs=20, iterations=5)  # of 100
    assert classifier.train_cfg.max_epochs == 20
    parts = [(part.type, part.begin, part.end) for part in classifier.param_scheduler]
    assert parts == [('LinearLR', 0, 1), ('CosineAnnealingLR', 1, 20)]
    scale_schedule(classifier, epochs=4, iterations=5)
    assert [(part.type, part.T_max, part.end) for part in classifier.param_scheduler] == [('CosineAnnealingLR', 4, 4)]

    rtmdet = ready('coco/rtmdet_tiny_r18_300e_coco.py')
    scale_schedule(rtmdet, epochs=30, iterations=50)  # of 300, the last 20 without mosaics
    assert (rtmdet.train_cfg.max_epochs, rtmdet.custom_hooks[1].switch_epoch) == (30, 28)
    assert (rtmdet.train_cfg.val_interval, rtmdet.train_cfg.dynamic_intervals) == (1, [(28, 1)])
    assert rtmdet.default_hooks.checkpoint.interval == 1
    assert [(part.begin, part.end) for part in rtmdet.param_scheduler] == [(0, 150), (15, 30)]

    probe = ready(TASKS['linear-probe'])
    scale_schedule(probe, epochs=10, iterations=5)  # of 100
    assert (probe.train_cfg.max_epochs, probe.param_scheduler[0].milestones) == (10, [6, 8])


@pytest.mark.slow
def test_classification_and_its_evaluation(run, birds, tmp_path):
    """The settings are in the config, the student is in the network, and evaluate() finds the same figure again."""
    done = lgd_mm.finetune('classification', run.out, birds, out=tmp_path / 'run', epochs=2, workers=0,
                           options={'train_dataloader.dataset.pipeline.1.scale': 32})
    cfg = Config.fromfile(done.config)
    assert (cfg.auto.batch_size.value, cfg.auto.epochs.value, cfg.model.head.num_classes) == (8, 2, 2)
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(0.1 * 8 / 256) == cfg.auto.lr.value
    assert [record['iter'] for record in done.history] == [1, 2]
    assert set(done.metrics) == {'accuracy/top1'}
    assert cfg.model.backbone.init_cfg.checkpoint == str(run.student.resolve())
    assert lgd_mm.evaluate(done.out) == done.metrics
    assert (done.out / 'evaluation').is_dir()
    assert lgd_mm.evaluate(done.out, birds) == done.metrics
    shutil.copytree(birds / 'val', tmp_path / 'others')
    (tmp_path / 'others' / CLASSES[0]).rename(tmp_path / 'others' / 'zebra')
    with pytest.raises(UserError, match='has the classes square, zebra, and .* trained with circle, square: give data'):
        lgd_mm.evaluate(done.out, tmp_path / 'others')
    with pytest.raises(UserError, match='is not empty'):
        lgd_mm.finetune('classification', run.out, birds, out=done.out)


def test_a_backbone_by_name(birds, tmp_path):
    """It begins at random; tokens are pooled; what is given neither way is told."""
    size = {'train_dataloader.dataset.pipeline.1.scale': 32, 'val_dataloader.dataset.pipeline.1.scale': 32,
            'val_dataloader.dataset.pipeline.2.crop_size': 32}
    done = lgd_mm.finetune('classification', None, birds, out=tmp_path / 'run', backbone='timm/test_vit', epochs=1,
                           workers=0, options=size)
    cfg = Config.fromfile(done.config)
    assert cfg.model.backbone.to_dict() == dict(type='lgd_mm.TIMMBackbone', model_name='test_vit')
    assert (cfg.model.neck.type, cfg.model.head.in_channels) == ('lgd_mm.MeanPooling', 64)
    assert set(done.metrics) == {'accuracy/top1'}
    with pytest.raises(UserError, match='give the student to begin with .*, or the name of a backbone that begins at'):
        lgd_mm.finetune('classification', None, birds, out=tmp_path / 'other')


def test_detection_reads_the_users_classes(run, tmp_path):
    """Of a COCO file; the detector is as wide as the student."""
    data = write_coco_set(tmp_path / 'set', train=2, val=1)
    done = lgd_mm.finetune('detection', run.student, data, out=tmp_path / 'run', epochs=1, workers=0, options={
        'train_dataloader.dataset.pipeline.2.scale': (64, 64), 'val_dataloader.dataset.pipeline.1.scale': (64, 64),
        'model.train_cfg.rpn_proposal.max_per_img': 20, 'model.test_cfg.rpn.max_per_img': 20,
        'model.rpn_head.feat_channels': 8, 'model.roi_head.bbox_head.fc_out_channels': 8})
    assert 'coco/bbox_mAP' in done.metrics
    assert load_checkpoint_file(done.checkpoint)['meta']['dataset_meta']['classes'] == ('nut', 'bolt', 'washer')


def test_segmentation_is_counted_in_iterations(run, tmp_path):
    """Two epochs of four images in batches of two are four iterations; a training needs no test set."""
    data = write_masks(tmp_path / 'set', 'images/{split}', 'masks/{split}', train=4, val=1)
    small = {
        'train_dataloader.dataset.pipeline.2.scale': (64, 64),
        'train_dataloader.dataset.pipeline.3.crop_size': (64, 64),
        'val_dataloader.dataset.pipeline.1.scale': (64, 64), 'model.data_preprocessor.size': (64, 64),
        'model.decode_head.channels': 8, 'model.auxiliary_head.channels': 8,
        'test_dataloader.dataset.data_root': str(tmp_path / 'nowhere')}
    done = lgd_mm.finetune('segmentation', run.out, data, out=tmp_path / 'run', epochs=2, batch_size=2, workers=0,
                           options=small)
    assert done.history[-1]['iter'] == 4 and done.checkpoint.name == 'iter_4.pth'
    assert 0 <= done.metrics['mIoU'] <= 100


@pytest.mark.slow
def test_students_are_evaluated_on_class_folders(run, birds, tmp_path):
    """By names, neighbours and a probe; without training images by names alone; without a projection by the rest."""
    with (mock.patch.object(read, 'load_checkpoint_file', wraps=read.load_checkpoint_file) as reads,
          mock.patch.object(network, 'build_backbone', wraps=network.build_backbone) as builds):
        figures = lgd_mm.evaluate(run.out, birds, out=tmp_path)
    assert (reads.call_count, builds.call_count) == (1, 1)
    assert list(figures) == ['zero-shot/top1', 'knn/top1', 'linear/top1']
    assert all(0 <= value <= 100 for value in figures.values())
    assert list(lgd_mm.evaluate(run.out, birds / 'val', classes='star,ring', out=tmp_path)) == ['zero-shot/top1']
    smaller = {'test_dataloader.dataset.pipeline.2.crop_size': 64}
    bare = lgd_mm.evaluate(run.student, birds, out=tmp_path, options=smaller)
    assert list(bare) == ['knn/top1', 'linear/top1']


@pytest.mark.parametrize(('call', 'sentence'), [
    (lambda run, data, out: lgd_mm.finetune('detecton', run.out, data, out=out),
     r"no task .*; did you mean 'detection'"),
    (lambda run, data, out: lgd_mm.finetune('classification', run.out, next((data / 'val').iterdir()), out=out),
     'is of no format that is known'),
    (lambda run, data, out: lgd_mm.finetune('detection', run.out, data / 'gone', out=out),
     'data: .*gone is no folder'),
    (lambda run, data, out: lgd_mm.finetune('detection', run.out, data, out=out),
     'is of the format folders, which has labels for classification, and the config learns detection'),
    (lambda run, data, out: lgd_mm.evaluate(run.out),
     'a student is evaluated on labelled images: give data'),
    (lambda run, data, out: lgd_mm.evaluate(run.out, run.out / 'gone'),
     'gone is no folder'),
    (lambda run, data, out: lgd_mm.evaluate(run.student, data, classes='a,b'),
     'has no projection'),
])
def test_mistakes(run, birds, tmp_path, call, sentence):
    """Told before anything is written."""
    with pytest.raises(UserError, match=sentence):
        call(run, birds, tmp_path / 'run')
    assert not (tmp_path / 'run').exists()
