"""The published form or the dense one: what auto takes, and what each changes in the config."""

import pytest
from mmengine.config import Config

from lgd_mm.api.configs import ready_config
from lgd_mm.api.recipes import settle_recipe
from lgd_mm.api.students import student_config
from lgd_mm.api.teachers import teacher_model
from lgd_mm.errors import UserError


def settled(student, recipe='auto', teacher='RN50/openai'):
    name, changes = student_config(student)
    cfg = Config.fromfile(ready_config(name))
    cfg.merge_from_dict(changes)
    cfg.model.teacher = teacher_model(teacher) if isinstance(teacher, str) else teacher
    return cfg.model, settle_recipe(cfg, student, recipe)


@pytest.mark.parametrize(('student', 'teacher', 'outputs', 'stride'), [
    ('resnet18', 'RN50/openai', (1, 2, 3), 16),
    ('mobilenetv2', 'ViT-B-16/openai', (2, 4, 7), None),
    ('timm/ghostnet_100', 'shapes', (2, 3, 4), 8),
    ('efficientnet_b0', 'RN50x64/openai', (3, 4, 6), 32),
])
def test_auto_is_dense_where_it_can_be(student, teacher, outputs, stride):
    model, told = settled(student, teacher=teacher)
    assert told == ('dense', 'auto: student and teacher give maps')
    assert tuple(model.backbone.out_indices) == outputs and model.dense.type == 'lgd_mm.DenseGuidance'
    assert model.teacher.get('dense_stride') == stride


@pytest.mark.parametrize(('student', 'teacher', 'told'), [
    ('timm/vit_tiny_patch16_224', 'RN50/openai', 'gives maps of strides 16, 16, 16 instead of 8, 16 and 32'),
    ('resnet18', dict(type='lgd_mm.OpenCLIPTeacher', model='vit_relpos_medium_patch16_cls_224'),
     'VisionTransformerRelPos have no embeddings in the joint space'),
])
def test_auto_is_published_where_it_cannot(student, teacher, told):
    before, _ = settled(student, 'published', teacher)
    model, (form, why) = settled(student, teacher=teacher)
    assert form == 'published' and told in why and model == before
    with pytest.raises(UserError, match=told):
        settled(student, 'dense', teacher)


def test_given():
    model, told = settled('resnet18', 'published')
    assert told == ('published', 'given') and 'dense' not in model and 'dense_stride' not in model.teacher
    assert settled('resnet18', 'dense')[1] == ('dense', 'given')
    with pytest.raises(UserError, match="recipe is 'thick': give auto, dense, published"):
        settled('resnet18', 'thick')
