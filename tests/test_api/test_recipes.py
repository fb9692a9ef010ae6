"""The published form or the dense one: what auto takes, and what each changes in the config."""

import json

import pytest
from mmengine.config import Config

from lgd_mm.api.configs import ready_config
from lgd_mm.api.recipes import settle_recipe
from lgd_mm.api.students import student_config
from lgd_mm.api.teachers import teacher_model
from lgd_mm.errors import UserError
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


def test_a_student_without_maps():
    with pytest.raises(UserError, match='gives maps of strides 16, .* 8, 16 and 32 are needed: take another, or --rec'):
        settled('timm/vit_tiny_patch16_224', 'dense')


@pytest.mark.parametrize('vision', [
    dict(foo=1), dict(timm_model_name='hf-hub:nobody/nothing'), dict(timm_model_name='nosuch'), dict(patch_size=0)])
def test_a_folder_is_not_built_to_know_its_strides(vision, tmp_path, monkeypatch):
    """What it describes is refused, or left to where its weights bound it."""
    name = write_tiny_teacher(tmp_path)
    file = tmp_path / 'open_clip_config.json'
    content = json.loads(file.read_text())
    content['model_cfg']['vision_cfg'].update(vision)
    file.write_text(json.dumps(content))
    monkeypatch.setattr('open_clip.model._build_vision_tower', None)
    try:
        settled('resnet18', 'dense', dict(type='lgd_mm.OpenCLIPTeacher', model=name))
    except UserError as error:
        assert str(file) in str(error)


def test_given():
    model, told = settled('resnet18', 'published')
    assert told == ('published', 'given') and 'dense' not in model and 'dense_stride' not in model.teacher
    assert settled('resnet18', 'dense')[1] == ('dense', 'given')
    with pytest.raises(UserError, match="recipe is 'thick': give auto, dense, published"):
        settled('resnet18', 'thick')
