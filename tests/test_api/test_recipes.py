"""The published form or the dense one: what auto takes, and what each changes in the config."""

import json
import re

import open_clip
import pytest
import torch
from mmengine.config import Config
from open_clip.model import _build_vision_tower as build

from lgd_mm.api.configs import ready_config
from lgd_mm.api.recipes import settle_recipe
from lgd_mm.api.students import student_config
from lgd_mm.api.teachers import teacher_model
from lgd_mm.errors import UserError
from lgd_mm.models.teachers.dense import dense_tower
from tests.tiny import write_tiny_teacher


def settled(student, recipe='auto', teacher='RN50/openai'):
    name, changes = student_config(student)
    cfg = Config.fromfile(ready_config(name))
    cfg.merge_from_dict(changes)
    cfg.model.teacher = teacher_model(teacher) if isinstance(teacher, str) else teacher
    return cfg.model, settle_recipe(cfg, student, recipe)


@pytest.mark.parametrize(('student', 'teacher', 'outputs', 'stride'), [
    ('resnet18', 'RN50/openai', (1, 2, 3), 16),
    ('mobilenetv2', 'ViT-B-16/openai', (2, 4, 7), None),
    ('resnet50', 'shapes', (1, 2, 3), 8),
    ('efficientnet_b0', 'RN50x64/openai', (3, 4, 6), 32),
    ('cspnext-tiny', 'RN50/openai', (2, 3, 4), 16),
])
def test_auto_is_dense_where_it_can_be(student, teacher, outputs, stride):
    model, told = settled(student, teacher=teacher)
    assert told == ('dense', 'auto: student and teacher give maps')
    assert tuple(model.backbone.out_indices) == outputs and model.dense.type == 'lgd_mm.DenseGuidance'
    assert model.teacher.get('dense_stride') == stride


def test_auto_is_published_where_the_teacher_cannot():
    teacher, told = dict(type='lgd_mm.OpenCLIPTeacher', model='vit_relpos_medium_patch16_cls_224'), \
        'VisionTransformerRelPos have no embeddings in the joint space'
    before, _ = settled('resnet18', 'published', teacher)
    model, (form, why) = settled('resnet18', teacher=teacher)
    assert form == 'published' and told in why and model == before
    with pytest.raises(UserError, match=told):
        settled('resnet18', 'dense', teacher)


@pytest.mark.parametrize(('student', 'outputs'), [('ghostnet_100', (2, 3, 4)), ('convnext_atto', (1, 2, 3))])
def test_a_student_of_timm_is_dense_when_asked(student, outputs):
    """Its form of maps lacks layers, so it is nobody's default."""
    model, (form, why) = settled(f'timm/{student}')
    assert form == 'published' and '--recipe dense takes that' in why and 'dense' not in model
    model, told = settled(f'timm/{student}', 'dense')
    assert told == ('dense', 'given')
    assert model.backbone.features_only and tuple(model.backbone.out_indices) == outputs


def test_a_plain_transformer_has_one_map():
    model, _ = settled('timm/vit_tiny_patch16_224', 'dense')
    assert model.backbone.features_only and tuple(model.backbone.out_indices) == (11, )


def test_a_student_without_maps():
    with pytest.raises(UserError, match='gives maps of strides 16, 32, 64, .* 8, 16 and 32 are needed: take another'):
        settled('timm/levit_128s', 'dense')


def folder_teacher(folder, vision):
    name = write_tiny_teacher(folder)
    file = folder / 'open_clip_config.json'
    content = json.loads(file.read_text())
    content['model_cfg']['vision_cfg'].update(vision)
    file.write_text(json.dumps(content))
    return dict(type='lgd_mm.OpenCLIPTeacher', model=name)


@pytest.mark.parametrize(('vision', 'told'), [
    (dict(foo=1), 'is none of the settings'),
    (dict(timm_model_name='hf-hub:nobody/nothing'), 'is no name of timm'),
    (dict(timm_model_name='nosuch'), 'is no name of timm'),
    (dict(layers=10**9), 'no model has such a size'),
    (dict(patch_size=0), None),
    (dict(layers=1000, width=10**6, head_width=1, mlp_ratio=1e6, image_size=10**5), None),
    (dict(act_kwargs=dict(a=1), norm_kwargs=dict(b=2)), None)])
def test_a_folder_is_not_built_to_know_its_strides(vision, told, tmp_path, monkeypatch):
    """What it describes is refused, or left to where its weights bound it."""
    teacher, built = folder_teacher(tmp_path, vision), []
    monkeypatch.setattr('open_clip.model._build_vision_tower', lambda *parts: built.append(parts) or build(*parts))
    if told:
        with pytest.raises(UserError, match=f"{tmp_path / 'open_clip_config.json'}.*{told}"):
            settled('resnet18', 'dense', teacher)
        assert not built
    else:
        model, told = settled('resnet18', 'dense', teacher)
        assert told == ('dense', 'given') and 'dense_stride' not in model.teacher
        ((width, made), ) = built
        assert width == 64 and made == dict(
            layers=1, width=64, image_size=32, patch_size=32, attentional_pool=False)


@pytest.mark.parametrize(('vision', 'stride'), [
    (dict(), None),
    (dict(layers=[1, 1, 1, 1]), 8),
    (dict(layers=[1, 1, 1, 1], image_size=224), 16),
    (dict(attentional_pool=True), None),
    (dict(attentional_pool=''), None),
    (dict(timm_model_name='convnext_atto', timm_pool='', layers=[1, 1, 1, 1], image_size=224), None),
    (dict(timm_model_name='vit_tiny_patch16_224', timm_pool='token', timm_proj=None), None),
    (dict(timm_model_name='vit_base_patch16_siglip_224.webli', timm_pool='map', timm_proj='none',
          timm_model_pretrained=True), None),
])
def test_auto_is_dense_for_a_folder_with_maps(vision, stride, tmp_path):
    teacher = folder_teacher(tmp_path, vision)
    model, told = settled('resnet18', teacher=teacher)
    assert told == ('dense', 'auto: student and teacher give maps')
    with torch.device('meta'):  # the tower that it describes takes the stride
        whole = {**open_clip.get_model_config(teacher['model'])['vision_cfg'], 'timm_model_pretrained': False}
        dense_tower(build(32, whole), stride)
    assert model.teacher.get('dense_stride') == stride and model.dense.type == 'lgd_mm.DenseGuidance'


@pytest.mark.parametrize(('vision', 'told'), [
    (dict(attentional_pool='parallel'), 'the image tower VisionTransformer have no embeddings in the joint space'),
    (dict(attentional_pool='cascade'), 'the image tower VisionTransformer have no embeddings in the joint space'),
    (dict(attentional_pool='odd'), 'the image tower of the teacher local-dir:.* cannot be made'),
    (dict(timm_model_name='test_vit_relpos'), 'VisionTransformerRelPos have no embeddings in the joint space'),
    (dict(timm_model_name='vit_relpos_medium_patch16_cls_224', layers=[1, 1, 1, 1], timm_pool=''),
     'VisionTransformerRelPos have no embeddings in the joint space'),
    (dict(timm_model_name='resnet18', timm_pool='abs_attn', timm_proj=''),
     'ResNet have no embeddings in the joint space'),
    (dict(timm_model_name='resnet18', timm_pool=['avg']), 'the image tower of the teacher local-dir:.* cannot be made'),
])
def test_auto_is_published_for_a_folder_without_maps(vision, told, tmp_path):
    teacher = folder_teacher(tmp_path, vision)
    model, (form, why) = settled('resnet18', teacher=teacher)
    assert form == 'published' and re.search(told, why)
    assert 'dense' not in model and 'dense_stride' not in model.teacher
    with pytest.raises(UserError, match=told):
        settled('resnet18', 'dense', teacher)


def test_given():
    model, told = settled('resnet18', 'published')
    assert told == ('published', 'given') and 'dense' not in model and 'dense_stride' not in model.teacher
    assert settled('resnet18', 'dense')[1] == ('dense', 'given')
    with pytest.raises(UserError, match="recipe is 'thick': give auto, dense, published"):
        settled('resnet18', 'thick')
