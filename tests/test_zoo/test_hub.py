"""mmpretrain's hub lists and builds our models, and refuses files that do not fit."""

import subprocess
import sys

import mmpretrain
import pytest
import torch
from mmpretrain.apis.model import ModelHub

from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.zoo.index import ModelEntry
from tests.tiny import ROOT

SLIM = dict(backbone=dict(stem_channels=8, base_channels=8))


def test_lists_ours_beside_theirs():
    ours = mmpretrain.list_models('*lgd*')
    assert {'lgd-resnet18_headless', 'lgd-mobilenetv2_zero-shot', 'lgd-resnet18_90e_pretrain'} <= set(ours)
    assert isinstance(ModelHub.get('lgd-resnet18_headless'), ModelEntry)
    assert 'resnet18_8xb32_in1k' in mmpretrain.list_models('resnet18')


def test_importing_lgd_mm_imports_neither_mmpretrain_nor_its_index():
    code = "import sys, lgd_mm; print({'mmpretrain', 'modelindex', 'torch'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == 'set()\n', done.stderr


@pytest.mark.parametrize('file', ['student.safetensors', 'student.pth', 'epoch_1.pth'])
def test_headless_student_takes_every_form_of_its_file(pretrained, file):
    model = mmpretrain.get_model('lgd-resnet18_headless', pretrained=str(pretrained / file), **SLIM)
    theirs = load_checkpoint_file(pretrained / 'epoch_1.pth')['state_dict']
    assert all(torch.equal(value, theirs[f'backbone.{key}']) for key, value in model.backbone.state_dict().items())
    maps, = model.extract_feat(images := torch.rand(2, 3, 64, 64), stage='backbone')
    torch.testing.assert_close(model.extract_feat(images)[0], maps.mean(dim=(2, 3)))


def test_no_weights_are_published_and_this_is_said():
    for name in ('lgd-resnet18_headless', 'lgd-resnet18_zero-shot', 'lgd-baselines_seed-resnet18_pretrain'):
        with pytest.raises(UserError, match=f'no weights of {name} are published: give pretrained=FILE'):
            mmpretrain.get_model(name, pretrained=True)
    assert mmpretrain.get_model('lgd-mobilenetv2_headless').extract_feat(torch.rand(1, 3, 64, 64))[0].shape == (1, 1280)


def test_files_that_do_not_fit(pretrained, tmp_path):
    """mmengine would warn, and go on with random values."""
    student = str(pretrained / 'student.safetensors')
    with pytest.raises(UserError, match=r'fill only 0 of the 312 keys of the MobileNetV2 \(not conv1.conv.weight'):
        mmpretrain.get_model('lgd-mobilenetv2_headless', pretrained=student)
    with pytest.raises(UserError, match='fill only .* of the 120 keys of the ResNet .*: take the model of the'):
        mmpretrain.get_model('lgd-resnet18_headless', pretrained=student)  # of another width
    with pytest.raises(UserError, match='the checkpoint holds no neck'):
        mmpretrain.get_model('lgd-resnet18_zero-shot', pretrained=student, **SLIM)
    state = load_checkpoint_file(pretrained / 'epoch_1.pth')['state_dict']
    torch.save({key: value for key, value in state.items() if 'lgka.' not in key}, tmp_path / 'seed.pth')
    with pytest.raises(UserError, match='holds no lgka.textual_bank, the names .*: take a config with names'):
        mmpretrain.get_model('lgd-resnet18_zero-shot', pretrained=str(tmp_path / 'seed.pth'), **SLIM)
    torch.save({key.removeprefix('backbone.'): value for key, value in state.items()}, tmp_path / 'bare.pth')
    with pytest.raises(UserError, match=r'the weights \(.*\) hold no backbone\.\*: give an exported student'):
        mmpretrain.get_model('lgd-resnet18_headless', pretrained=str(tmp_path / 'bare.pth'), **SLIM)
    with pytest.raises(UserError, match='has no names before it is filled'):
        mmpretrain.get_model('lgd-resnet18_zero-shot', **SLIM)(torch.rand(1, 3, 64, 64), mode='predict')
