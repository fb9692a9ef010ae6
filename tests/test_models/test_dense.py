"""Embeddings of positions: of every family from one pass of the trunk, beside the embedding the tower itself gives."""

import copy
import json
from collections import Counter

import open_clip
import pytest
import torch
from open_clip.model import CLIPVisionCfg, _build_vision_tower
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from safetensors.torch import save_file
from torch import nn

from lgd_mm.errors import UserError
from lgd_mm.models.necks import MLPProjection
from lgd_mm.models.teachers import OpenCLIPTeacher
from lgd_mm.models.teachers.dense import dense_tower
from lgd_mm.models.teachers.folding import fold
from tests.tiny import write_tiny_teacher
from tests.towers import coca, resnet, timm_tower, vit

TOWERS = {
    'resnet': (lambda: fold(resnet()), (64, 64), ('layer1.0', 'layer2.0', 'layer3.0')),
    'vit': (vit, (32, 48), ('transformer.resblocks.0', 'transformer.resblocks.1', 'transformer.resblocks.2')),
    'coca': (coca, (32, 48), ('transformer.resblocks.0', 'transformer.resblocks.2')),
    'siglip': (lambda: timm_tower('vit', 'map'), (32, 48), ('trunk.blocks.0', 'trunk.blocks.1')),
    'token': (lambda: timm_tower('vit', 'token'), (32, 48), ('trunk.blocks.0', )),
    'average': (lambda: timm_tower('vit', 'avg'), (32, 48), ('trunk.blocks.0', 'trunk.blocks.1')),
    'eva': (lambda: timm_tower('eva', 'token'), (32, 48), ('trunk.blocks.0', )),
    'pe': (lambda: timm_tower('eva', 'map'), (32, 48), ('trunk.blocks.0', 'trunk.blocks.1')),
    'convnext': (lambda: timm_tower('convnext'), (64, 96), ('trunk.stages.0', 'trunk.stages.3')),
    'fastvit': (lambda: timm_tower('fastvit', proj=''), (64, 96), ('trunk.stages.0', 'trunk.stages.3')),
    'swin': (lambda: timm_tower('swin'), (64, 64), ('trunk.layers.0', 'trunk.layers.3')),
}


@pytest.mark.parametrize('name', TOWERS)
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
@torch.no_grad()
def test_one_pass_and_the_towers_own_embedding(name, dtype):
    build, size, once = TOWERS[name]
    tower = build().to(dtype)
    images = torch.randn(2, 3, *size, dtype=dtype)
    before = copy.deepcopy(tower.state_dict())
    embedding = tower(images)
    embedding = embedding[0] if isinstance(embedding, tuple) else embedding
    calls = Counter()
    handles = [tower.get_submodule(part).register_forward_hook(lambda *_, part=part: calls.update([part]))
               for part in once]
    dense = dense_tower(tower)
    pooled, positions = dense(images)
    assert calls == dict.fromkeys(once, 1)
    for handle in handles:
        handle.remove()
    assert torch.equal(pooled, embedding)
    stride = dense.strides[0]
    assert positions.shape == (2, 24, size[0] // stride, size[1] // stride) and positions.dtype == dtype
    torch.testing.assert_close(dense.positions(images), positions)
    assert not torch.allclose(positions[0], positions[1])
    assert all(torch.equal(tower.state_dict()[key], value) for key, value in before.items()), 'it was changed'
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in tower.modules())


@pytest.mark.parametrize('name', TOWERS)
@torch.no_grad()
def test_images_do_not_mix(name):
    build, size, _ = TOWERS[name]
    tower, images = dense_tower(build()), torch.randn(2, 3, *size)
    torch.testing.assert_close(tower.positions(images)[1:], tower.positions(images[1:]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(('model', 'shape'), [
    ('RN50', (1024, 7, 7)), ('ViT-B-32', (512, 7, 7)), ('coca_ViT-B-32', (512, 7, 7)),
    ('ViT-B-16-SigLIP2', (768, 14, 14)), ('EVA02-B-16', (512, 14, 14)), ('convnext_tiny', (1024, 7, 7)),
    ('MobileCLIP-S1', (512, 8, 8)), ('MobileCLIP-B', (512, 14, 14)), ('ViTamin-S', (384, 14, 14)),
    ('PE-Core-T-16-384', (512, 24, 24)),
])
@torch.no_grad()
def test_models_of_open_clip(model, shape):
    """Tensors without memory cannot be asked for their values: nothing waits for the device."""
    config = open_clip.get_model_config(model)
    with torch.device('meta'):
        tower = _build_vision_tower(config['embed_dim'], CLIPVisionCfg(**config['vision_cfg'])).eval()
        size = config['vision_cfg'].get('image_size', 224)
        modes = dense_tower(tower).modes or (None, )
        for mode in modes:
            pooled, positions = dense_tower(fold(tower), mode=mode)(torch.zeros(2, 3, size, size))
            assert pooled.shape == (2, shape[0]) and positions.shape == (2, *shape)


@torch.no_grad()
def test_teacher_takes_the_students_images(tmp_path):
    teacher = OpenCLIPTeacher(write_tiny_teacher(tmp_path))
    teacher.set_input_statistics(255 * teacher.mean, 255 * teacher.std)  # the student's are the teacher's own
    images = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(teacher.dense(images), dense_tower(teacher.visual).positions(images), atol=1e-5, rtol=0)
    assert teacher.dense(torch.randn(1, 3, 48, 37)).shape == (1, 32, 4, 4)


@pytest.mark.parametrize('precision', ['fp32', 'bf16'])
def test_modes_of_a_teacher(tmp_path, precision):
    """The image's embedding does not depend on how its positions are read."""
    model = write_tiny_teacher(tmp_path)
    images, taught = torch.randn(2, 3, 32, 32), {}
    for mode in (None, 'maskclip', 'clearclip', 'naclip'):
        teacher = OpenCLIPTeacher(model, precision=precision, dense_mode=mode)
        teacher.set_input_statistics(255 * teacher.mean, 255 * teacher.std)
        taught[mode] = teacher(images, dense=True)
        assert torch.equal(taught[mode].embedding, teacher(images))
        assert taught[mode].dense.dtype == torch.float32 and not teacher.takes_any_size
    assert torch.equal(taught[None].dense, taught['maskclip'].dense)
    different = [taught[mode].dense for mode in ('maskclip', 'clearclip', 'naclip')]
    assert not any(torch.allclose(one, other) for one, other in zip(different, different[1:]))


def test_a_resnet_takes_any_size(tmp_path):
    config = dict(embed_dim=16, vision_cfg=dict(image_size=64, layers=[1, 1, 1, 1], width=8, head_width=32),
                  text_cfg=dict(context_length=77, vocab_size=49408, width=16, heads=2, layers=1))
    (tmp_path / 'open_clip_config.json').write_text(json.dumps(dict(model_cfg=config, preprocess_cfg={})))
    save_file(open_clip.CLIP(**config).state_dict(), tmp_path / 'open_clip_model.safetensors')
    teacher = OpenCLIPTeacher(f'local-dir:{tmp_path}', dense_stride=8)
    teacher.set_input_statistics(255 * teacher.mean, 255 * teacher.std)
    assert teacher.takes_any_size
    assert teacher.dense(torch.randn(1, 3, 100, 130)).shape == (1, 16, 8, 8)
    teacher.image_size = None
    assert teacher.dense(torch.randn(1, 3, 100, 130)).shape == (1, 16, 12, 16)


@pytest.mark.parametrize(('build', 'choice', 'message'), [
    (resnet, dict(stride=4), r'dense_stride is 4: a CLIP ResNet has 32, 16, 8$'),
    (resnet, dict(stride=0), 'dense_stride is 0: a CLIP ResNet has 32, 16, 8$'),
    (resnet, dict(stride=[16]), r'dense_stride is \[16\]: a CLIP ResNet has 32, 16, 8$'),
    (resnet, dict(mode='naclip'), "dense_mode is 'naclip': a CLIP ResNet has maskclip$"),
    (vit, dict(stride=16), 'dense_stride is 16: a CLIP ViT has 8$'),
    (vit, dict(mode='sclip'), "dense_mode is 'sclip': a CLIP ViT has maskclip, clearclip, naclip$"),
    (vit, dict(mode=''), "dense_mode is '': a CLIP ViT has maskclip, clearclip, naclip$"),
    (vit, dict(mode=['naclip']), r"dense_mode is \['naclip'\]: a CLIP ViT has maskclip"),
    (coca, dict(mode='clearclip'), "dense_mode is 'clearclip': a CoCa ViT has maskclip$"),
    (lambda: timm_tower('vit', 'map'), dict(mode='naclip'),
     "dense_mode is 'naclip': a timm VisionTransformer with 'map' pooling has maskclip$"),
    (lambda: timm_tower('convnext'), dict(mode='maskclip'),
     "dense_mode is 'maskclip': a timm ConvNeXt has none, so leave it out$"),
    (lambda: timm_tower('convnext'), dict(stride=16), 'dense_stride is 16: a timm ConvNeXt has 32$'),
])
def test_what_a_family_has_not_is_refused(build, choice, message):
    with pytest.raises(UserError, match=f'^model.teacher.{message}'):
        dense_tower(build(), **choice)


@pytest.mark.parametrize(('build', 'named'), [
    (lambda: nn.Conv2d(3, 8, 1), 'Conv2d'),
    (lambda: TimmModel('test_vit_relpos', embed_dim=8, pool='', pretrained=False), 'VisionTransformerRelPos'),
    (lambda: TimmModel('test_nfnet', embed_dim=8, pool='rot_attn', proj='', pretrained=False), 'NormFreeNet'),
    (lambda: VisionTransformer(32, 8, 32, 1, 2, 4., attentional_pool='parallel', output_dim=32), 'VisionTransformer'),
])
def test_other_towers_are_refused(build, named):
    with pytest.raises(UserError, match=f"^positions of the image tower {named} have no embeddings in the joint space: "
                       "those of CLIP ResNets, CLIP and CoCa ViTs, and of timm's ViT, EVA and networks that average "
                       'a map have$'):
        dense_tower(build())


@torch.no_grad()
def test_projection_of_positions():
    neck = MLPProjection(6, 4)
    features = torch.randn(2, 6, 3, 5)
    dense = neck.dense([features])
    torch.testing.assert_close(dense[1, :, 2, 4], neck([features[:, :, 2, 4]])[1])
    with pytest.raises(UserError, match='no map'):
        neck.dense([features.flatten(1)])
