"""A student in a downstream config: all keys, bit-equal after init_weights, or a refusal that tells why."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmpretrain.models import MobileNetV2, ResNet

from lgd_mm.errors import UserError
from lgd_mm.students import KeyReport, plug_student, student_metadata, write_student
from tests.tiny import ROOT


def config(name):
    return Config.fromfile(ROOT / 'configs' / name)


def write(folder, network, **backbone):
    torch.manual_seed(5)
    network.init_weights()
    state = {key: value + torch.rand_like(value) if value.is_floating_point() else value + 3
             for key, value in network.state_dict().items()}
    cfg = dict(model=dict(backbone=backbone, data_preprocessor=dict(mean=[123.675, 116.28, 103.53],
                                                                    std=[58.395, 57.12, 57.375])))
    return state, write_student(state, student_metadata(cfg, 1, {}), folder / 'student')


@pytest.fixture(scope='module')
def resnet(tmp_path_factory):
    return write(tmp_path_factory.mktemp('resnet'), ResNet(depth=18), type='mmpretrain.ResNet', depth=18)


@pytest.fixture(scope='module')
def mobilenet(tmp_path_factory):
    return write(tmp_path_factory.mktemp('mobilenet'), MobileNetV2(), type='mmpretrain.MobileNetV2')


@pytest.mark.parametrize('form', [0, 1], ids=['safetensors', 'pth'])
@pytest.mark.parametrize('name', [
    'coco/mask-rcnn_r18_fpn_1x_coco.py', 'coco/faster-rcnn_mobilenetv2_fpn_1x_coco.py',
    'ade20k/upernet_r18_160k_ade20k-512x512.py', 'ade20k/upernet_mobilenetv2_80k_ade20k-512x512.py'
])
def test_backbone_equals_the_file_after_init_weights(name, form, resnet, mobilenet):
    """mmpretrain's ResNet would zero the last norm of each block under another init type."""
    state, files = mobilenet if 'mobilenetv2' in name else resnet
    cfg = config(name)
    report = plug_student(cfg, files[form])
    assert report.complete and len(report.matched) == report.total

    model = MODELS.build(cfg.model)
    model.init_weights()
    loaded = model.backbone.state_dict()
    assert len(loaded) == report.total
    assert all(torch.equal(value, state[key]) for key, value in loaded.items())


def test_layers_behind_the_last_output_are_left_over(mobilenet):
    """conv2 of the pre-trained student has no place downstream."""
    cfg = config('coco/mask-rcnn_mobilenetv2_fpn_1x_coco.py')
    report = plug_student(cfg, mobilenet[1][0])
    assert {key.split('.')[0] for key in report.unexpected} == {'conv2'}


def test_training_checkpoint_is_accepted(tmp_path, resnet):
    """Without an export, and other parts' keys do not matter."""
    state = {f'backbone.{key}': value for key, value in resnet[0].items()}
    torch.save(dict(meta={}, state_dict={**state, 'head.weight': torch.zeros(2)}), tmp_path / 'epoch_3.pth')
    assert plug_student(config('coco/mask-rcnn_r18_fpn_1x_coco.py'), tmp_path / 'epoch_3.pth').complete


def test_another_backbone_is_refused(resnet, capsys):
    """Both are named; the config stays as it was; the report was printed."""
    cfg = config('coco/mask-rcnn_mobilenetv2_fpn_1x_coco.py')
    with pytest.raises(UserError) as error:
        plug_student(cfg, resnet[1][0], allow_partial=True)
    assert 'mmpretrain.ResNet, depth 18' in str(error.value) and 'lgd_mm.MobileNetV2' in str(error.value)
    assert 'init_cfg' not in cfg.model.backbone
    assert '0 of 306 backbone keys matched' in capsys.readouterr().out


def test_less_than_all_needs_permission(tmp_path, resnet):
    """A missing key is named, and with permission keeps its random value."""
    state = {key: value for key, value in resnet[0].items() if key != 'bn1.weight'}
    file, _ = write_student(state, {}, tmp_path / 'part')
    cfg = config('coco/faster-rcnn_r18_fpn_1x_coco.py')
    with pytest.raises(UserError, match='fills only 119 of 120 keys .* or --allow-partial-student'):
        plug_student(cfg, file)
    assert plug_student(cfg, file, allow_partial=True).missing == ('bn1.weight', )
    init_default_scope('mmdet')
    model = MODELS.build(cfg.model)
    model.init_weights()
    assert torch.equal(model.backbone.state_dict()['conv1.weight'], state['conv1.weight'])


def test_another_width_is_refused(tmp_path):
    """Same keys, other shapes."""
    file = write(tmp_path, ResNet(depth=18, stem_channels=8, base_channels=8), type='mmpretrain.ResNet', depth=18,
                 base_channels=8)[1][0]
    with pytest.raises(UserError, match=r'ResNet, depth 18, base_channels 8\) fills only \d+ of 120'):
        plug_student(config('coco/mask-rcnn_r18_fpn_1x_coco.py'), file)


def test_other_statistics_are_told(resnet, capsys):
    """A student keeps the image statistics it was pre-trained with."""
    cfg = config('coco/mask-rcnn_r18_fpn_1x_coco.py')
    plug_student(cfg, resnet[1][1])
    assert 'warning' not in capsys.readouterr().out
    cfg.model.data_preprocessor.mean = [0, 0, 0]
    plug_student(cfg, resnet[1][1])
    assert 'pre-trained with mean [123.675, 116.28, 103.53]' in capsys.readouterr().out


def test_key_report():
    """The four ways two sets of keys can meet."""
    ours = dict(a=torch.zeros(1), b=torch.zeros(2), c=torch.zeros(3))
    report = KeyReport.compare(ours, dict(a=torch.zeros(1), b=torch.zeros(9), d=torch.zeros(1)))
    assert report == KeyReport(matched=('a', ), missing=('c', ), unexpected=('d', ), mismatched=('b', ))
    assert not report.complete and report.total == 3
    assert str(report).splitlines() == [
        '1 of 3 backbone keys matched', '  1 missing (c)', '  1 mismatched (b)', '  1 unexpected (d)'
    ]


def test_older_keys_for_weights_are_taken_out(resnet):
    """mmseg's ``model.pretrained`` excludes ``backbone.init_cfg``."""
    cfg = config('ade20k/upernet_r18_80k_ade20k-512x512.py')
    cfg.model.pretrained = 'open-mmlab://resnet18_v1c'
    cfg.model.backbone.pretrained = 'torchvision://resnet18'
    plug_student(cfg, resnet[1][0])
    model = MODELS.build(cfg.model)
    model.init_weights()
    assert torch.equal(model.backbone.conv1.weight, resnet[0]['conv1.weight'])


@pytest.mark.parametrize(('changes', 'sentence'), [
    (dict(load_from='old.pth'), 'load_from=old.pth would overwrite the student: give --cfg-options load_from=None'),
    ({'model.init_cfg': dict(type='Pretrained', checkpoint='old.pth')},
     r'model.init_cfg \(old.pth\) would overwrite the student'),
    ({'model.init_cfg': [dict(type='Pretrained', checkpoint='old.pth')]},
     r'model.init_cfg \(old.pth\) would overwrite the student'),
])
def test_what_would_overwrite_the_student(resnet, changes, sentence):
    """Loaded after the backbone, or instead of it; a resumed run goes on with its own weights."""
    cfg = config('coco/mask-rcnn_r18_fpn_1x_coco.py')
    cfg.merge_from_dict(changes)
    with pytest.raises(UserError, match=sentence):
        plug_student(cfg, resnet[1][0])
    if cfg.get('load_from'):
        cfg.resume = True
        assert plug_student(cfg, resnet[1][0]).complete


def test_supervised_weights_of_timm(tmp_path):
    """timm's and torchvision's ResNet-18 has mmpretrain's keys, without a prefix and with a classifier."""
    import timm
    torch.manual_seed(0)
    state = timm.create_model('resnet18').state_dict()
    torch.save(state, tmp_path / 'resnet18.pth')
    cfg = config('coco/mask-rcnn_r18_fpn_1x_coco.py')
    report = plug_student(cfg, tmp_path / 'resnet18.pth')
    assert report.complete and report.unexpected == ('fc.weight', 'fc.bias')
    model = MODELS.build(cfg.model)
    model.init_weights()
    assert all(torch.equal(value, state[key]) for key, value in model.backbone.state_dict().items())

    torch.save(timm.create_model('mobilenetv2_100').state_dict(), tmp_path / 'mobilenet.pth')
    with pytest.raises(UserError, match=r'fills only 0 of \d+ keys'):
        plug_student(config('coco/mask-rcnn_mobilenetv2_fpn_1x_coco.py'), tmp_path / 'mobilenet.pth')
