"""The teacher in its fast form computes what it computed."""

import copy

import pytest
import torch
import torch.nn.functional as F
from open_clip.modified_resnet import AttentionPool2d, ModifiedResNet
from open_clip.timm_model import TimmModel

from lgd_mm.errors import UserError
from lgd_mm.models.teachers import OpenCLIPTeacher
from lgd_mm.models.teachers.folding import OneQueryAttentionPool, fold
from tests.tiny import write_tiny_teacher


def trained(module):
    """Batch-norms as if they had seen images."""
    generator = torch.Generator().manual_seed(0)
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            for tensor, low, high in ((part.running_mean, -.3, .3), (part.running_var, .4, 2), (part.weight, .5, 1.5),
                                      (part.bias, -.3, .3)):
                tensor.data.uniform_(low, high, generator=generator)
    return module.eval()


@torch.no_grad()
@pytest.mark.parametrize('layers, width, size', [((1, 2, 1, 1), 16, 64), ((3, 4, 6, 3), 64, 224)])
def test_resnet_is_the_same_to_a_millionth(layers, width, size):
    torch.manual_seed(0)
    plain = trained(ModifiedResNet(layers, output_dim=32, heads=8, image_size=size, width=width))
    images = torch.randn(2, 3, size, size)
    folded = fold(copy.deepcopy(plain))
    similarity = F.cosine_similarity(folded(images).double(), plain(images).double())
    assert (1 - similarity).abs().max() < 1e-6
    torch.testing.assert_close(folded(images), plain(images), rtol=1e-3, atol=1e-4)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded.modules())


@torch.no_grad()
def test_pool_of_one_query():
    torch.manual_seed(0)
    pool = AttentionPool2d(3, 32, 4, 16)
    for layer in (pool.q_proj, pool.k_proj, pool.v_proj, pool.c_proj):
        torch.nn.init.normal_(layer.bias)
    maps = torch.randn(5, 32, 3, 3)
    torch.testing.assert_close(OneQueryAttentionPool(pool)(maps), pool(maps), atol=1e-5, rtol=1e-5)


def test_other_families_stay(tmp_path):
    transformer = OpenCLIPTeacher(write_tiny_teacher(tmp_path)).visual
    for visual in (transformer, TimmModel('test_resnet', embed_dim=32)):
        parts = [id(part) for part in visual.modules()]
        assert fold(visual) is visual and [id(part) for part in visual.modules()] == parts


@pytest.mark.parametrize('precision, bound', [('bf16', 2e-3), ('fp16', 1e-4)])
def test_half_precision_is_near_and_ignores_autocast(tmp_path, precision, bound):
    name = write_tiny_teacher(tmp_path)
    exact, half = OpenCLIPTeacher(name), OpenCLIPTeacher(name, precision=precision)
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for teacher in (exact, half):
        teacher.set_input_statistics(torch.tensor([120.] * 3), torch.tensor([60.] * 3))
    embedding = half(images)
    assert embedding.dtype == torch.float32
    assert 0 < (1 - F.cosine_similarity(embedding, exact(images))).max() < bound
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(half(images), embedding)


def test_unknown_precision(tmp_path):
    with pytest.raises(UserError, match="model.teacher.precision is 'int8'.*fp32, bf16, fp16"):
        OpenCLIPTeacher(write_tiny_teacher(tmp_path), precision='int8')
