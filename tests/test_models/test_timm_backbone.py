"""timm's networks as backbones: channels, sizes, and the keys of each form."""

import pytest
import timm
import torch

from lgd_mm.models.backbones import TIMMBackbone
from lgd_mm.models.backbones.timm import synchronise_timm
from lgd_mm.models.backbones.timm_keys import in_form_of
from lgd_mm.registry import MODELS

SIZE = 64


def build(name, **kwargs):
    backbone = MODELS.build(dict(type='lgd_mm.TIMMBackbone', model_name=name, **kwargs))
    return backbone.eval()


@torch.no_grad()
def test_channels_last_come_first():
    """The numbers are those that timm's network gives, plain and as maps."""
    images = torch.randn(2, 3, SIZE, SIZE)
    plain, maps = build('test_mambaout'), build('test_mambaout', features_only=True)
    own = plain.timm_model(images)
    assert torch.equal(plain(images)[-1].permute(0, 2, 3, 1), own) and own.shape[1] < own.shape[-1]
    given = maps(images)
    assert [each.shape[2] for each in given] == [SIZE // stride for stride in (4, 8, 16, 32)]
    for here, theirs in zip(given, maps.timm_model(images), strict=True):
        assert torch.equal(here, theirs.permute(0, 3, 1, 2)) and here.is_contiguous()


@torch.no_grad()
def test_images_of_any_size():
    """Positions are interpolated, and what patches do not divide is padded, below and on the right."""
    vit = build('test_vit', features_only=True, out_indices=(-1, ))
    assert vit(torch.zeros(1, 3, 70, 100))[0].shape[2:] == (5, 7)  # patches of 16
    swin = build('swin_tiny_patch4_window7_224', features_only=True, out_indices=(0, ), depths=(1, 1, 1, 1))
    image = torch.randn(1, 3, 58, 63)
    padded = torch.zeros(1, 3, 60, 64)
    padded[..., :58, :63] = image
    assert torch.equal(swin(image)[0], swin(padded)[0]) and swin(image)[0].shape == (1, 96, 15, 16)
    assert torch.equal(vit(torch.ones(1, 3, 70, 100))[0],
                       vit(torch.nn.functional.pad(torch.ones(1, 3, 70, 100), (0, 12, 0, 10)))[0])


@torch.no_grad()
def test_own_size_is_timms_own():
    """What is told to timm for other sizes changes nothing at the size a network was made for."""
    torch.manual_seed(0)
    ours = build('vit_tiny_patch16_224', depth=1)
    torch.manual_seed(0)
    theirs = timm.create_model('vit_tiny_patch16_224', depth=1, num_classes=0, global_pool='').eval()
    theirs.load_state_dict({key.removeprefix('timm_model.'): value for key, value in ours.state_dict().items()})
    images = torch.randn(1, 3, 224, 224)
    assert torch.equal(ours(images)[-1], theirs(images))


@torch.no_grad()
def test_norms_over_all_gpus_keep_their_activations():
    """timm computes some in its norms; those that no config asks for stay as they are."""
    names = dict(one=build('test_efficientnet', norm_cfg=dict(type='SyncBN')), other=build('test_efficientnet'))
    model = torch.nn.ModuleDict(names)
    images, keys = torch.randn(2, 3, SIZE, SIZE), list(model.state_dict())
    before = model['one'](images)[0]
    synchronise_timm(model)
    assert torch.equal(model['one'](images)[0], before) and list(model.state_dict()) == keys
    norms = [module for module in model['one'].modules() if isinstance(module, torch.nn.SyncBatchNorm)]
    assert len(norms) > 10 and not any(isinstance(module, torch.nn.BatchNorm2d) for module in model['one'].modules())
    assert not any(isinstance(module, torch.nn.SyncBatchNorm) for module in model['other'].modules())


#: Each naming of timm: keys as they are, flattened, within the network, a class of its own; with what only the plain
#: form has.
FORMS = {
    'test_resnet': (),
    'test_convnext': ('head.norm', ),
    'test_vit': ('norm.', ),
    'test_efficientnet': ('conv_head', 'bn2'),
    'test_mambaout': ('head.norm', 'head.pre_logits'),
    'ghostnet_050': ('blocks.8', 'blocks.9', 'conv_head'),
    'mobilenetv4_conv_small_035': ('conv_head', 'norm_head'),
    'hgnetv2_b0': ('head.last_conv', ),
    'repvit_m0_9': (),
    'swin_tiny_patch4_window7_224': ('norm.', ),
    'cspresnet50': (),
    'vgg11': ('pre_logits', ),
    'dpn48b': ('features.conv5_bn_ac', ),
    'efficientvit_b0': ('head.in_conv', 'head.classifier'),
    'xcit_nano_12_p16_224': ('cls_token', 'cls_attn_blocks', 'norm.'),
}


@pytest.mark.parametrize('name', FORMS)
def test_forms_take_each_others_weights(name):
    """Every key of the form with maps is filled from the plain one, in its place; and from timm's own file."""
    with torch.device('meta'):
        plain, maps = TIMMBackbone(name), TIMMBackbone(name, features_only=True)
    plain, maps = plain.to_empty(device='cpu'), maps.to_empty(device='cpu')
    given = {key: torch.full_like(value, index) for index, (key, value) in enumerate(plain.state_dict().items())}
    for weights in (given, {key.removeprefix('timm_model.'): value for key, value in given.items()}):
        result = maps.load_state_dict(weights, strict=False)
        assert not result.missing_keys
        rest = [key.removeprefix('timm_model.') for key in result.unexpected_keys]
        assert all(key.startswith(FORMS[name]) for key in rest), rest
    # In their places: the order of the network's own layers.
    filled = [int(value.flatten()[0]) for value in maps.state_dict().values()]
    assert filled == sorted(filled) and len(set(filled)) == len(filled)
    back = in_form_of(plain.state_dict(), maps.state_dict())
    assert set(back) <= set(given) and all(torch.equal(value, given[key]) for key, value in back.items())


def test_other_keys_stay():
    weights = {'head.weight': 1, 'stages.0.conv_a.weight': 2}
    assert in_form_of({'stages_0.conv_a.weight': 0}, weights) == {'head.weight': 1, 'stages_0.conv_a.weight': 2}
    alike = {'a_b.weight': 0, 'a.b.weight': 0}  # of no known form
    assert in_form_of(alike, weights) == weights
    twice = {'stages.0.w': 1, 'stages_0.w': 2}
    assert in_form_of({'stages_0.w': 0}, twice) == twice
