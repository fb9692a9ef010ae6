"""A student in the detectors of transformers: its keys always; by --nightly, where that is there, the code."""

import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

from lgd_mm.errors import UserError
from lgd_mm.exports import export_student
from lgd_mm.exports.source import read_source
from lgd_mm.exports.targets.transformers_timm import timm_form
from lgd_mm.exports.transformers_form import own_form
from lgd_mm.students.backbone import build_backbone
from lgd_mm.students.file import student_metadata, write_student
from tests.test_exports.conftest import normalised
from tests.test_exports.test_export import run

#: Of transformers 5.20.2: keys and shapes of AutoBackbone.from_config(AutoConfig.for_model(model_type, **settings)).
KNOWN = json.loads((Path(__file__).parent / 'transformers_keys.json').read_text())
STATISTICS = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])


def timm_(name, **settings):
    return dict(type='lgd_mm.TIMMBackbone', model_name=name, **settings)


SLIM = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)
RESNET_VD = dict(type='mmpretrain.ResNetV1d', depth=18)
OWN = {'slim': SLIM, 'resnet-vd': RESNET_VD, 'resnet26': timm_('resnet26'), 'resnet26d': timm_('resnet26d'),
       'hgnetv2_b0': timm_('hgnetv2_b0')}


def built(backbone):
    return build_backbone(Config(dict(default_scope='mmpretrain', model=dict(backbone=backbone))))


@pytest.fixture
def student(tmp_path):
    """A function from a backbone's config to the file of a student whose norms count."""

    def make(backbone):
        torch.manual_seed(0)
        network = built(backbone)
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.momentum = 1.0
                nn.init.uniform_(norm.weight, 0.5, 1.5)
                nn.init.normal_(norm.bias, 0, 0.2)
        network.train()  # mmpretrain's return nothing
        with torch.no_grad():
            network(torch.rand(4, 3, 64, 64))
        about = student_metadata(dict(model=dict(backbone=backbone, data_preprocessor=STATISTICS)), None, {})
        return write_student(network.state_dict(), about, tmp_path / 'student')[0]

    return make


@pytest.mark.parametrize('name', OWN)
def test_keys_shapes_and_settings_are_those_of_transformers(name):
    form = own_form(OWN[name], built(OWN[name]).state_dict())
    assert dict(model_type=form.model_type, settings=form.settings) == KNOWN[name]['config']
    assert {key: list(value.shape) for key, value in form.weights.items()} == KNOWN[name]['state']
    assert list(form.channels) == form.settings['hidden_sizes'][1:]
    assert [note.split()[0] for note in form.notes] == {
        'resnet-vd': ["transformers'"], 'hgnetv2_b0': ['What']}.get(name, [])


def test_each_weight_goes_to_the_place_of_its_own():
    state = built(SLIM).state_dict()
    weights = {key: torch.full_like(state[key], index) for index, key in enumerate(state)}
    found = own_form(SLIM, weights).weights
    for theirs, ours in {
            'embedder.embedder.normalization.bias': 'bn1.bias',
            'encoder.stages.0.layers.1.layer.0.convolution.weight': 'layer1.1.conv1.weight',
            'encoder.stages.3.layers.0.layer.1.normalization.running_var': 'layer4.0.bn2.running_var',
            'encoder.stages.2.layers.0.shortcut.normalization.weight': 'layer3.0.downsample.1.weight'}.items():
        assert torch.equal(found[theirs], weights[ours])


@pytest.mark.parametrize('name', ['mobilenetv2_035', 'repghostnet_050'])
def test_other_networks_of_timm_go_by_their_names(name, student):
    form = timm_form(read_source(student(timm_(name))))
    assert form.model_type == 'timm_backbone' and form.settings['backbone'] == name
    assert all(key.startswith('_backbone.') for key in form.weights) and len(form.channels) == 3


def test_a_student_with_several_maps_is_the_same_network(student):
    plain = own_form(timm_('hgnetv2_b0'), built(timm_('hgnetv2_b0')).state_dict())
    maps = own_form(timm_('hgnetv2_b0'), built(timm_('hgnetv2_b0', features_only=True)).state_dict())
    assert list(plain.weights) == list(maps.weights) and plain.settings == maps.settings


@pytest.mark.parametrize('backbone, said', [
    (dict(type='mmpretrain.MobileNetV2', widen_factor=0.3), 'it is neither a ResNet nor a network of timm'),
    (dict(type='mmpretrain.MobileNetV3', arch='small'), r'it builds networks of timm without settings \(bn_eps\)'),
    (dict(type='mmpretrain.ResNetV1c', depth=18), 'it is neither a ResNet nor a network of timm'),
    (timm_('test_vit'), 'take maps of strides 8, 16 and 32, and this gives'),
    (timm_('mobilenetv2_035', bn_eps=0.1), r'without settings \(bn_eps\)'),
    (timm_('mambaout_femto'), 'its detectors take maps with the channels first'),
])
def test_other_students_are_refused_in_a_sentence(backbone, said, student):
    source = read_source(student(backbone))
    assert own_form(backbone, source.backbone.state_dict()) is None
    with pytest.raises(UserError, match=f'transformers has no network like this .*{said}.*: export it to one of'):
        timm_form(source)


@pytest.mark.nightly
@pytest.mark.parametrize('backbone, norms', [
    *((backbone, True) for backbone in OWN.values()), (timm_('resnet18'), True), (timm_('resnet18d'), True),
    (timm_('repghostnet_050'), True), (timm_('mobilenetv2_035'), False), (timm_('resnet10t', features_only=True), True),
    (dict(type='mmpretrain.MobileNetV2', widen_factor=0.35), False)], ids=str)
def test_detectors_have_the_students_maps(backbone, norms, student, images, tmp_path, close):
    transformers = pytest.importorskip('transformers')
    file = student(backbone)
    report = export_student(file, 'transformers', tmp_path / 'out')
    names = run(report.usage)
    detector, processor = names['detector'].eval(), names['processor']
    assert ('freeze_backbone_batch_norms=False' in report.usage) != norms
    pixels = processor(images=list(images.mul(255).round().byte()), size=dict(height=96, width=96), return_tensors='pt')
    close(pixels['pixel_values'], normalised(images.mul(255).round() / 255), 1e-5)
    source, inputs = read_source(file), normalised(images)
    wanted = []
    for module in source.backbone.modules():
        module.register_forward_hook(lambda module, given, output: wanted.append(output))
    with torch.no_grad():
        source.backbone(inputs)
        mask = torch.ones(2, 96, 96)
        maps = [found for found, _ in detector.model.backbone(inputs, mask)]
        assert [96 // found.shape[-1] for found in maps] == [8, 16, 32]
        for found in maps:
            alike = [each for each in wanted if isinstance(each, torch.Tensor) and each.shape == found.shape]
            close(found, min(alike, key=lambda each: (each - found).abs().max()))
        detector.save_pretrained(tmp_path / 'detector')
        again = transformers.RTDetrForObjectDetection.from_pretrained(tmp_path / 'detector').eval()
        close(again.model.backbone(inputs, mask)[-1][0], maps[-1])
        weights = transformers.AutoConfig.from_pretrained(tmp_path / 'out')
        fine = transformers.DFineForObjectDetection(transformers.DFineConfig(
            backbone_config=weights, encoder_in_channels=names['config'].encoder_in_channels,
            freeze_backbone_batch_norms=norms, num_queries=20)).eval()
        fine.model.backbone.model.load_state_dict(names['load_file'](tmp_path / 'out' / 'model.safetensors'))
        close(fine.model.backbone(inputs, mask)[-1][0], maps[-1])
        assert fine(inputs).pred_boxes.shape == (2, 20, 4)
        if norms:
            detr = transformers.DetrForObjectDetection(transformers.DetrConfig(backbone_config=weights)).eval()
            detr.model.backbone.model.load_state_dict({
                key.removeprefix('_backbone.'): value
                for key, value in names['load_file'](tmp_path / 'out' / 'model.safetensors').items()})
            close(detr.model.backbone(inputs, mask)[-1][0], maps[-1])
