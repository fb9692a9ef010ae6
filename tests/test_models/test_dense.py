"""Embeddings of positions: the last attention with each position on itself alone."""

import pytest
import torch
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel

from lgd_mm.errors import UserError
from lgd_mm.models.necks import MLPProjection
from lgd_mm.models.teachers import OpenCLIPTeacher
from lgd_mm.models.teachers.dense import dense_embeddings
from lgd_mm.models.teachers.folding import fold
from tests.tiny import write_tiny_teacher


@torch.no_grad()
def test_resnet_positions_are_values():
    torch.manual_seed(0)
    tower = ModifiedResNet((1, 1, 1, 1), output_dim=24, heads=4, image_size=64, width=8).eval()
    images = torch.randn(2, 3, 64, 96)
    caught = []
    tower.layer4.register_forward_hook(lambda module, args, out: caught.append(out))
    tower.attnpool.register_forward_pre_hook(lambda module, args: (torch.zeros(2, 256, 2, 2), ))
    tower(images)
    pool = tower.attnpool
    expected = pool.c_proj(pool.v_proj(caught[0][1, :, 1, 2]))
    dense = dense_embeddings(fold(tower), images)
    assert dense.shape == (2, 24, 2, 3)
    torch.testing.assert_close(dense[1, :, 1, 2], expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_vit_positions_attend_to_themselves(tmp_path):
    """The last block on a sequence of that one token is the same."""
    teacher = OpenCLIPTeacher(write_tiny_teacher(tmp_path))
    tower, images = teacher.visual, torch.randn(2, 3, 32, 32)
    caught = []
    handle = tower.transformer.resblocks[-1].register_forward_pre_hook(lambda block, args: caught.append(args[0]))
    embedding = tower(images)
    handle.remove()
    token = tower.transformer.resblocks[-1](caught[0][1:, 1 + 4 * 2 + 3][:, None])  # row 2, column 3 of 4 x 4
    dense = dense_embeddings(tower, images)
    assert dense.shape == (2, 32, 4, 4)
    torch.testing.assert_close(dense[1, :, 2, 3], (tower.ln_post(token) @ tower.proj)[0, 0], atol=1e-5, rtol=0)
    assert torch.equal(tower(images), embedding), 'the tower is left as it was'


@torch.no_grad()
def test_teacher_takes_the_students_images(tmp_path):
    teacher = OpenCLIPTeacher(write_tiny_teacher(tmp_path))
    teacher.set_input_statistics(255 * teacher.mean, 255 * teacher.std)  # the student's are the teacher's own
    images = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(teacher.dense(images), dense_embeddings(teacher.visual, images), atol=1e-5, rtol=0)
    assert teacher.dense(torch.randn(1, 3, 48, 48)).shape == (1, 32, 4, 4)


def test_other_towers_are_refused():
    tower = TimmModel('test_vit', embed_dim=8, image_size=160, pretrained=False)
    with pytest.raises(UserError, match="TimmModel have no embeddings.*only CLIP's ResNets and ViTs have"):
        dense_embeddings(tower, torch.zeros(1, 3, 160, 160))


@torch.no_grad()
def test_projection_of_positions():
    neck = MLPProjection(6, 4)
    features = torch.randn(2, 6, 3, 5)
    dense = neck.dense([features])
    torch.testing.assert_close(dense[1, :, 2, 4], neck([features[:, :, 2, 4]])[1])
    with pytest.raises(UserError, match='no map'):
        neck.dense([features.flatten(1)])
