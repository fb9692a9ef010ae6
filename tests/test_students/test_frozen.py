"""What is read of a student's file."""

import torch
from mmengine.config import Config

from lgd_mm.students.frozen import read_student_file
from tests.tiny import lgd_model


def test_projection_into_a_space_of_its_own_is_none(tmp_path):
    """CompRess compares students with students: no name has a place among its embeddings."""
    meta = dict(cfg=Config(dict(model=lgd_model('teacher'))).pretty_text, iter=1)
    state = {'backbone.conv1.weight': torch.ones(1), 'neck.mlp.0.weight': torch.ones(2, 1)}
    torch.save(dict(meta=meta, state_dict=state), tmp_path / 'seed.pth')
    torch.save(dict(meta=meta, state_dict=state | {'anchor.0.conv1.weight': torch.ones(1)}), tmp_path / 'compress.pth')
    assert list(read_student_file(tmp_path / 'seed.pth').neck) == ['mlp.0.weight']
    assert read_student_file(tmp_path / 'compress.pth').neck == {}
