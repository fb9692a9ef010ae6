"""What is read of a student's file."""

import pytest
import torch
from mmengine.config import Config

from lgd_mm.students.read import read_student_file
from tests.tiny import lgd_model


def test_projection_into_a_space_of_its_own_is_none(tmp_path):
    """CompRess compares students with students: no name has a place among its embeddings."""
    meta = dict(cfg=Config(dict(model=lgd_model('teacher'))).pretty_text, iter=1)
    state = {'backbone.conv1.weight': torch.ones(1), 'neck.mlp.0.weight': torch.ones(2, 1)}
    torch.save(dict(meta=meta, state_dict=state), tmp_path / 'seed.pth')
    torch.save(dict(meta=meta, state_dict=state | {'anchor.0.conv1.weight': torch.ones(1)}), tmp_path / 'compress.pth')
    assert list(read_student_file(tmp_path / 'seed.pth').neck) == ['mlp.0.weight']
    assert read_student_file(tmp_path / 'compress.pth').neck == {}


@pytest.mark.parametrize(('scope', 'kind', 'whole'), [
    ('mmdet', 'ResNet', 'mmdet.ResNet'), ('mmseg', 'MixVisionTransformer', 'mmseg.MixVisionTransformer'),
    ('mmpretrain', 'ResNet', 'mmpretrain.ResNet'), (None, 'ResNet', 'mmpretrain.ResNet'),
    ('mmdet', 'mmpretrain.ResNet', 'mmpretrain.ResNet'),
])
def test_a_backbone_is_of_the_library_that_trained_it(tmp_path, scope, kind, whole):
    """A bare type is looked up where the config was; mmpretrain's namesake may be another network."""
    cfg = Config(dict(model=dict(backbone=dict(type=kind)), **(dict(default_scope=scope) if scope else {})))
    torch.save(dict(meta=dict(cfg=cfg.pretty_text), state_dict={'backbone.a': torch.ones(1)}), tmp_path / 'a.pth')
    assert read_student_file(tmp_path / 'a.pth').backbone_config == dict(type=whole)
