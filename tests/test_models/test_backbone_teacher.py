"""Teachers without text: weights from a file, pooling, statistics."""

import pytest
import torch

from lgd_mm.errors import UserError
from lgd_mm.models.teachers import BackboneTeacher
from lgd_mm.registry import MODELS
from lgd_mm.students.file import write_student

SLIM = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)
VIT = dict(type='mmpretrain.VisionTransformer', arch=dict(embed_dims=16, num_layers=1, num_heads=2,
                                                          feedforward_channels=32),
           img_size=32, patch_size=16, out_type='raw')


def student_file(backbone, folder):
    network = MODELS.build(backbone)
    write_student(network.state_dict(), {}, folder / 'student')
    return network, str(folder / 'student.safetensors')


def test_pools_its_last_feature_and_undoes_the_students_statistics(tmp_path):
    network, file = student_file(SLIM, tmp_path)
    teacher = BackboneTeacher(SLIM, checkpoint=file)
    teacher.set_input_statistics(torch.tensor([127.5] * 3), torch.tensor([63.75] * 3))
    pixels = torch.rand(2, 3, 32, 32)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.no_grad():
        network.eval()
        expected = network((pixels - mean) / std)[-1].mean(dim=(2, 3))
    torch.testing.assert_close(teacher((pixels - 0.5) / 0.25), expected, atol=1e-4, rtol=1e-4)
    assert teacher.embed_dim == 64
    assert not any(module.training for module in teacher.train().modules())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


def test_class_token_and_own_size(tmp_path):
    network, file = student_file(VIT, tmp_path)
    teacher = BackboneTeacher(VIT, checkpoint=file, class_token=True, image_size=32)
    teacher.set_input_statistics(255 * torch.tensor([0.485, 0.456, 0.406]), 255 * torch.tensor([0.229, 0.224, 0.225]))
    pixels = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        network.eval()
        expected = network(pixels)[-1][:, 0]
    torch.testing.assert_close(teacher(pixels), expected, atol=1e-5, rtol=1e-4)
    assert teacher(torch.rand(1, 3, 48, 64)).shape == (1, teacher.embed_dim) == (1, 16)


def test_mistakes(tmp_path):
    with pytest.raises(UserError, match='model.teacher has random weights'):
        BackboneTeacher(SLIM)
    _, file = student_file({**SLIM, 'base_channels': 4}, tmp_path)
    with pytest.raises(UserError, match=r'fills \d+ of \d+ keys of model.teacher.backbone'):
        BackboneTeacher(SLIM, checkpoint=file)
