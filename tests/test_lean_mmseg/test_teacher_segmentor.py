"""What a teacher's own positions know: whole images of convolutions, windows of a ViT."""

import itertools
import json

import open_clip
import pytest
import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from safetensors.torch import save_file

from lgd_mm.errors import UserError
from lgd_mm.lean_mmseg import TeacherSegmentor
from lgd_mm.models.teachers.dense import dense_tower
from tests.tiny import write_tiny_teacher

NAMES = ['cat', 'dog', 'bicycle', 'tree', 'sky']


def segmentor(model, **teacher):
    return TeacherSegmentor(dict(type='lgd_mm.OpenCLIPTeacher', model=model, **teacher), NAMES, ['a photo of a {}.'])


def images(height, width, teacher):
    """Of the teacher's own statistics, and of pre-training's."""
    own = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    return own, (own - teacher.shift) / teacher.scale


@pytest.mark.parametrize(('height', 'width', 'tops', 'lefts'), [
    (32, 32, [0], [0]), (32, 48, [0], [0, 16]), (56, 75, [0, 16, 24], [0, 16, 32, 43])])
@torch.no_grad()
def test_windows_of_a_vit(tmp_path, height, width, tops, lefts):
    """Half a window apart, the last one at the border; similarities are averaged where they overlap."""
    model = segmentor(write_tiny_teacher(tmp_path), dense_mode='naclip')
    own, inputs = images(height, width, model.teacher)
    total, count = torch.zeros(2, 5, height, width), torch.zeros(height, width)
    for top, left in itertools.product(tops, lefts):
        place = slice(top, top + 32), slice(left, left + 32)
        positions = dense_tower(model.teacher.visual, mode='naclip').positions(own[:, :, place[0], place[1]])
        similar = torch.einsum('bdhw,cd->bchw', F.normalize(positions, dim=1), model.textual_bank)
        total[:, :, place[0], place[1]] += F.interpolate(similar, (32, 32), mode='bilinear')
        count[place] += 1
    torch.testing.assert_close(model.similarities(inputs), total / count, atol=1e-4, rtol=0)

    samples = model.predict(inputs, [SegDataSample(metainfo=dict(ori_shape=(height, width))) for _ in range(2)])
    labels = torch.stack([sample.pred_sem_seg.data[0] for sample in samples])
    best, second = (total / count).topk(2, dim=1).values.unbind(1)
    clear = best - second > 1e-3
    assert clear.any() and torch.equal(labels[clear], total.argmax(dim=1)[clear])


@torch.no_grad()
def test_an_image_below_a_window_is_enlarged(tmp_path):
    model = segmentor(write_tiny_teacher(tmp_path))
    similar = model.similarities(torch.randn(1, 3, 20, 40))
    assert similar.shape == (1, 5, 20, 40) and torch.isfinite(similar).all()


@torch.no_grad()
def test_convolutions_see_the_whole_image(tmp_path):
    config = dict(embed_dim=16, vision_cfg=dict(image_size=64, layers=[1, 1, 1, 1], width=8, head_width=32),
                  text_cfg=dict(context_length=77, vocab_size=49408, width=16, heads=2, layers=1))
    (tmp_path / 'open_clip_config.json').write_text(json.dumps(dict(model_cfg=config, preprocess_cfg={})))
    save_file(open_clip.CLIP(**config).state_dict(), tmp_path / 'open_clip_model.safetensors')
    model = segmentor(f'local-dir:{tmp_path}', dense_stride=16)
    own, inputs = images(96, 160, model.teacher)
    positions = dense_tower(model.teacher.visual, 16).positions(own)
    expected = torch.einsum('bdhw,cd->bchw', F.normalize(positions, dim=1), model.textual_bank)
    assert expected.shape == (2, 5, 6, 10)
    torch.testing.assert_close(model.similarities(inputs), expected, atol=1e-4, rtol=0)
    # One that is no whole number of positions is padded, not stretched: it is the corner of a larger one.
    corner = F.pad(inputs[..., :90, :130], (0, 30, 0, 6))
    found = model.encode_decode(inputs[..., :90, :130])
    torch.testing.assert_close(found, model.encode_decode(corner)[..., :90, :130], atol=1e-4, rtol=0)
    for height, width in ((1, 1), (16, 1), (2, 200)):  # thinner than a position
        sample, _ = model.predict(images(height, width, model.teacher)[1])
        assert sample.pred_sem_seg.data.shape == (1, height, width)


def test_modes_are_refused_as_the_model_is_built(tmp_path):
    with pytest.raises(UserError, match="dense_mode is 'no': a CLIP ViT has maskclip, clearclip, naclip$"):
        segmentor(write_tiny_teacher(tmp_path), dense_mode='no')
