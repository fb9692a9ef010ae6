"""What is on the list is built as before; what is not is named."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmpretrain.models.backbones.base_backbone import BaseBackbone

from lgd_mm.api.evaluating import evaluate
from lgd_mm.errors import UserError
from lgd_mm.models.teachers import BackboneTeacher
from lgd_mm.registry import MODELS as OWN
from lgd_mm.safety.allow_list import checked, plain
from lgd_mm.safety.bounded_build import bounded_build
from lgd_mm.safety.config_text import data_of, parse_config, write_config
from lgd_mm.safety.saved_config import saved_network, saved_run
from lgd_mm.students.backbone import build_backbone
from tests.test_security.conftest import watched
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
    dict(type='mmdet.CSPNeXt', deepen_factor=0.33, norm_cfg=dict(type='BN'), act_cfg=dict(type='mmdet.SiLU')),
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


VISION_LANGUAGE = dict(
    type='lgd_mm.VisionLanguageModel', vocabulary='data/vocab.txt', transformer=dict(width=8, region_width=30),
    task=dict(type='lgd_mm.VLAnswering', answers='data/answers.txt'))


def test_files_of_words_are_kept_and_weights_are_not():
    """Of a student and of its teacher, whose file would be read as well."""
    begun = dict(VISION_LANGUAGE, bert='bert.safetensors', weights='https://x/y.pth')
    config = dict(type='lgd_mm.DistillVLM', student=begun, teacher=begun, queue_length=256)
    assert checked(config, 'network', 'file', 'model') == dict(config, student=VISION_LANGUAGE, teacher=VISION_LANGUAGE)


@pytest.mark.parametrize('part', ['student', 'teacher'])
@pytest.mark.parametrize('changes, key', [
    (dict(vocabulary='https://x/vocab.txt'), 'vocabulary'), (dict(vocabulary='words.pkl'), 'vocabulary'),
    (dict(vocabulary=dict(type='os.system')), 'vocabulary'), (dict(vocabulary=3), 'vocabulary'),
    (dict(task=dict(type='lgd_mm.VLAnswering', answers='x.npy')), 'task.answers'),
    (dict(task=dict(type='builtins.eval')), 'task.type'), (dict(type='mmpretrain.BLIPCaption'), 'type'),
    (dict(transformer=dict(width=2**30)), 'transformer.width'),
    (dict(transformer=dict(depth=9999)), 'transformer.depth'), (dict(other='data/vocab.txt'), 'other')])
def test_models_of_vision_and_language_name_no_more(part, changes, key):
    config = dict(type='lgd_mm.DistillVLM', student=VISION_LANGUAGE, teacher=VISION_LANGUAGE)
    with pytest.raises(UserError, match=f'^the file: model.{part}.{key}'):
        checked({**config, part: {**VISION_LANGUAGE, **changes}}, 'network', 'the file', 'model')


def test_teachers_within_teachers_come_to_an_end():
    config = VISION_LANGUAGE
    for _ in range(40):
        config = dict(type='lgd_mm.DistillVLM', student=VISION_LANGUAGE, teacher=config)
    with pytest.raises(UserError, match='lies too deep'):
        checked(config, 'network', 'file', 'model')


@pytest.mark.parametrize('name', ['lgd/r18_pretrain.py', 'lgd/timm_pretrain.py', 'baselines/seed-dino_r18_pretrain.py',
                                  'classification/linear_r18_folder.py', 'coco/mask-rcnn_r18_fpn_1x_coco.py',
                                  'coco/rtmdet-ins_s_cspnext-s_300e_coco.py', 'coco/atss_r18_fpn_1x_coco.py',
                                  'ade20k/upernet_r18_80k_ade20k-512x512.py',
                                  'ade20k/segformer_r18_160k_ade20k-512x512.py'])
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


CONVNEXT = dict(type='mmpretrain.ConvNeXt', arch='tiny')


@pytest.mark.parametrize('config, key', [
    (dict(CONVNEXT, arch=dict(depths=[65536] * 9, channels=[1] * 9)), 'backbone.arch.depths.0 is 65536, too many'),
    (dict(CONVNEXT, arch=dict(depths=[900] * 12, channels=[1] * 12)), 'backbone.arch.depths.11 is 900, too many'),
    (dict(CONVNEXT, arch=dict(depths=[1] * 1001, channels=[1])), 'depths is a list, of 1,001 numbers'),
    (dict(type='mmdet.CSPNeXt', deepen_factor=1e6), 'backbone.deepen_factor is 1000000.0, more than 10: no'),
    (dict(type='mmdet.CSPDarknet', deepen_factor=11), 'backbone.deepen_factor is 11, more than 10: no backbone is as'),
    (dict(CONVNEXT, arch=dict(depths=[1], channels=[2**19] * 3)), 'channels.2 .* 1,572,864 together'),
    (dict(type='mmpretrain.MobileNetV2', widen_factor=float('inf')), 'widen_factor is inf, no number'),
    (dict(type='mmpretrain.MobileNetV2', widen_factor=float('nan')), 'widen_factor is nan, no number'),
    (dict(type='mmpretrain.MobileNetV2', widen_factor=1e300), 'widen_factor is 1e.300, more than 1,000,000,000'),
    (dict(RESNET, base_channels=int('f' * 60_000, 16)), 'base_channels is a number of 240,000 bits, more than'),
])
def test_sizes_that_no_network_has(config, key):
    with pytest.raises(UserError, match=f'^file: .*{key}'):
        checked(config, 'backbone', 'file', 'backbone')


@pytest.mark.parametrize('config', [
    dict(CONVNEXT, arch=dict(depths=[3, 3, 27, 3], channels=[256, 512, 1024, 2048])),
    dict(type='mmpretrain.ResNet', depth=152, base_channels=2048, out_indices=(0, 1, 2, 3)),
])
def test_sizes_of_networks_stay(config):
    assert checked(config, 'backbone', 'file', 'backbone') == config


@pytest.mark.parametrize('step, key', [
    (dict(type='mmdet.Resize', scale=(65536, 65536)), 'scale.0 is 65536, more than 8,192'),
    (dict(type='mmseg.RandomResize', scale=(512, 512), ratio_range=(0.5, 64.0)), 'ratio_range.1 is 64.0, more than 10'),
    (dict(type='mmdet.Pad', size=(8193, 8)), 'size.0'),
    (dict(type='mmpretrain.CenterCrop', crop_size=9000), 'crop_size'),
    (dict(type='mmdet.Mosaic', img_scale=(10**4, 10**4)), 'img_scale.0'),
    (dict(type='mmdet.Resize', scale_factor=float('inf')), 'scale_factor is inf'),
])
def test_sizes_that_no_image_has(step, key):
    data = dict(type='mmpretrain.CustomDataset', data_root='/x', pipeline=[step])
    with pytest.raises(UserError, match=f'^file: dataset.pipeline.0.{key}'):
        checked(data, 'dataset', 'file', 'dataset')


@pytest.mark.parametrize('name', ['mmpretrain.MNIST', 'mmpretrain.FashionMNIST', 'mmpretrain.CIFAR10',
                                  'mmdet.CrowdHumanDataset'])
def test_data_sets_that_fetch_or_write(name):
    with pytest.raises(UserError, match=f"dataset.type is '{name}', which is not in the list"):
        checked(dict(type=name, data_root='/x'), 'dataset', 'file', 'dataset')


@pytest.mark.parametrize('name, arguments', [
    ('mmpretrain.Accuracy', dict(topk=(1, 5))), ('mmpretrain.AveragePrecision', {}),
    ('mmpretrain.MultiLabelMetric', {}),
    ('mmpretrain.RetrievalRecall', dict(topk=1)), ('mmdet.CocoMetric', dict(ann_file='/x.json', metric='bbox')),
    ('mmdet.VOCMetric', {}), ('mmseg.IoUMetric', dict(iou_metrics=['mIoU'])), ('lgd_mm.IoUMetric', {}),
])
def test_metrics_on_the_list(name, arguments):
    config = dict(type=name, **arguments)
    assert checked(config | dict(collect_dir='/x'), 'metric', 'file', 'metric') == config


@pytest.mark.parametrize('name, arguments', [
    ('mmpretrain.ShapeBiasMetric', dict(csv_dir='/x', dataset_name='x', model_name='x')), ('mmdet.DumpDetResults', {}),
    ('mmpretrain.ReportVQA', dict(file_path='/x')), ('mmpretrain.NocapsSave', dict(save_dir='/x')),
    ('mmdet.CityScapesMetric', dict(outfile_prefix='/x')), ('mmdet.CocoPanopticMetric', {}),
])
def test_metrics_that_write_are_refused(name, arguments):
    with pytest.raises(UserError, match=f"metric.type is '{name}', which is not in the list"):
        checked(dict(type=name, **arguments), 'metric', 'file', 'metric')


@pytest.mark.parametrize('kind, config, reason', [
    ('metric', dict(type='mmpretrain.RetrievalRecall'), "missing a required argument: 'topk'"),
    ('metric', dict(type='mmpretrain.Accuracy', odd=1), "unexpected keyword argument 'odd'"),
    ('teacher', dict(type='lgd_mm.OpenCLIPTeacher', odd=1), "unexpected keyword argument 'odd'"),
])
def test_arguments_that_a_class_does_not_take(kind, config, reason):
    with pytest.raises(UserError, match=f'^file: part is a dict, which .* cannot be built of .*{reason}'):
        checked(config, kind, 'file', 'part', 'lgd_mm')


def test_a_file_fetches_no_teacher(monkeypatch, tmp_path):
    import huggingface_hub
    backbone = dict(type='mmpretrain.TIMMBackbone', model_name='vit_small_patch16_224.dino', pretrained=True)
    teacher = dict(type='lgd_mm.BackboneTeacher', backbone=backbone)
    monkeypatch.setattr(huggingface_hub, 'try_to_load_from_cache', lambda repo, name: None)
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    config = checked(teacher, 'teacher', 'file', 'teacher', 'lgd_mm')
    assert config == dict(teacher, backbone=dict(backbone, pretrained=False))
    with pytest.raises(UserError, match='model.teacher has random weights'):
        MODELS.build(config)
    for held in ('model.safetensors', 'pytorch_model.bin'):
        monkeypatch.setattr(huggingface_hub, 'try_to_load_from_cache',
                            lambda repo, name, held=held: f'/{held}' if name == held else None)
        local = dict(backbone, pretrained_cfg_overlay=dict(file=f'/{held}'))  # a path: timm asks no hub
        assert checked(teacher, 'teacher', 'file', 'teacher', 'lgd_mm') == dict(teacher, backbone=local)


@pytest.mark.parametrize('held', ['model.safetensors', 'pytorch_model.bin'])
def test_weights_of_timm_that_lie_here_are_taken_without_a_question(held, monkeypatch, tmp_path):
    import huggingface_hub
    import timm
    from safetensors.torch import save_file
    name = 'test_vit.r160_in1k'
    weights = timm.create_model(name).state_dict()
    (save_file if held == 'model.safetensors' else torch.save)(weights, tmp_path / held)
    monkeypatch.setattr(huggingface_hub, 'try_to_load_from_cache',
                        lambda repo, asked: str(tmp_path / held) if asked == held else None)
    backbone = dict(type='mmpretrain.TIMMBackbone', model_name=name, pretrained=True,
                    pretrained_cfg_overlay=dict(url='https://example.org/evil.pth'))
    monkeypatch.delenv('HF_HUB_OFFLINE', raising=False)
    monkeypatch.setattr(huggingface_hub.constants, 'HF_HUB_OFFLINE', False)
    config = checked(dict(type='lgd_mm.BackboneTeacher', backbone=backbone), 'teacher', 'file', 'teacher', 'lgd_mm')
    with watched() as seen:
        teacher = MODELS.build(config)
    assert seen == []
    assert torch.equal(teacher.backbone.state_dict()['timm_model.cls_token'], weights['cls_token'])


def test_a_teacher_is_built_as_far_as_its_file_goes(tmp_path):
    torch.save(dict(state_dict={'backbone.x': torch.ones(1)}), tmp_path / 'x.pth')
    with pytest.raises(UserError, match='x.pth describes a network far larger than the 1 values in it'):
        BackboneTeacher(dict(type='mmpretrain.ResNet', depth=50, base_channels=1500), str(tmp_path / 'x.pth'))


@pytest.mark.parametrize('changes, reason', [
    (dict(base_channels=2000, depth=50), 'describes a network far larger'), (dict(odd=1), 'unexpected keyword'),
    (dict(depth=19), 'cannot be built'), (dict(strides=()), 'cannot be built')])
def test_a_run_is_built_as_far_as_its_weights_go(changes, reason, tmp_path):
    model = dict(type='mmpretrain.ImageClassifier', backbone={**RESNET, **changes},
                 head=dict(type='mmpretrain.LinearClsHead', num_classes=2, in_channels=32))
    loader = dict(dataset=dict(type='mmpretrain.CustomDataset', data_root='/x', metainfo=dict(classes=['a', 'b'])))
    (tmp_path / 'resolved_config.py').write_text(
        f"default_scope = 'mmpretrain'\nmodel = {model!r}\ntest_dataloader = {loader!r}\n")
    torch.save(dict(state_dict={'backbone.x': torch.ones(1)}), tmp_path / 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_1.pth'))
    with pytest.raises(UserError, match=f'resolved_config.py describes a network .*{reason}|{reason}'):
        evaluate(tmp_path)


@pytest.mark.parametrize('text', ['model = 5', 'data_preprocessor = 5', "data_preprocessor = 'type'",
                                  'test_evaluator = 5', 'test_dataloader = dict(num_workers=100000)',
                                  'randomness = dict(seed=18446744073709551616)',
                                  f'randomness = dict(seed=0x{"f" * 60_000})'])
def test_a_run_with_odd_settings(text, tmp_path):
    model = dict(type='mmpretrain.ImageClassifier', backbone=RESNET)
    (tmp_path / 'resolved_config.py').write_text(f"default_scope = 'mmpretrain'\nmodel = {model!r}\n{text}\n")
    with pytest.raises(UserError, match=f'{text.split()[0]}|plain data'):
        evaluate(tmp_path)


@pytest.mark.parametrize('changes', [dict(odd=1), dict(depth=19), dict(strides=()), dict(out_indices=5),
                                     dict(base_channels=0.5), dict(norm_cfg=5)])
def test_a_backbone_that_cannot_be_built(changes):
    with pytest.raises(UserError, match='model.backbone .* cannot be built'):
        build_backbone(Config(dict(model=dict(backbone={**RESNET, **changes}))))


def test_plain_data():
    assert plain(dict(a=[1, 'x', None, (2., )]), 'file', 'a') == dict(a=[1, 'x', None, (2., )])
    with pytest.raises(UserError, match='file: a is 18446744073709551616, more than'):
        plain(2**64, 'file', 'a')
    with pytest.raises(UserError, match='file: a.b is a set, which is no plain data'):
        plain(dict(b={1}), 'file', 'a')
