"""The open_clip teacher: families, weights, and what is said when they cannot be had."""

import json
import pickle
from contextlib import nullcontext
from pathlib import Path

import open_clip
import pytest
import torch
import torch.nn.functional as F
from open_clip.constants import OPENAI_DATASET_MEAN

from lgd_mm.api.teachers import teacher_model
from lgd_mm.errors import UserError
from lgd_mm.models.teachers import OpenCLIPTeacher, weights
from lgd_mm.models.teachers import open_clip as teacher_module
from lgd_mm.models.teachers.tags import tag_of_file
from tests.tiny import write_tiny_teacher


def statistics(teacher):
    teacher.set_input_statistics(torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375]))
    return teacher


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr(weights, '_cached', lambda tag: None)
    monkeypatch.setattr(weights, '_reachable', lambda url: False)


def test_embeds_as_open_clip_does(tmp_path):
    name = write_tiny_teacher(tmp_path)
    teacher = statistics(OpenCLIPTeacher(name))
    clip = open_clip.create_model(name).eval()
    pixels = torch.rand(2, 3, 32, 32)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    own_mean, own_std = (torch.tensor(v).view(3, 1, 1) for v in ([0.4, 0.5, 0.6], [0.2, 0.3, 0.4]))
    with torch.no_grad():
        expected = clip.encode_image((pixels - own_mean) / own_std)
        texts = clip.encode_text(open_clip.get_tokenizer(name)(['a cat', 'a dog']))
    torch.testing.assert_close(teacher((pixels - mean) / std), expected, atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(teacher.encode_text(['a cat', 'a dog']), texts)
    assert teacher.embed_dim == 32


def test_other_view_sizes_are_resized(tmp_path):
    teacher = statistics(OpenCLIPTeacher(write_tiny_teacher(tmp_path)))
    assert teacher(torch.zeros(1, 3, 56, 48)).shape == (1, 32)


def test_frozen_and_always_eval(tmp_path):
    teacher = OpenCLIPTeacher(write_tiny_teacher(tmp_path)).train()
    assert not any(module.training for module in teacher.modules())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


def test_fingerprint_follows_the_weights(tmp_path):
    first = OpenCLIPTeacher(write_tiny_teacher(tmp_path / 'a')).fingerprint
    name = write_tiny_teacher(tmp_path / 'a', embed_dim=16)
    assert OpenCLIPTeacher(name).fingerprint != first


@pytest.mark.slow
@pytest.mark.parametrize('model, tag, width, size, quick_gelu', [
    ('RN50', 'openai', 1024, 224, True),
    ('ViT-B-32', 'laion2b_s34b_b79k', 512, 224, False),
    ('ViT-B-16-SigLIP', 'webli', 768, 224, False),
    ('MobileCLIP-S1', 'datacompdr', 512, 256, False),
])
def test_families(model, tag, width, size, quick_gelu, tmp_path, monkeypatch):
    file = tmp_path / 'weights.safetensors'
    file.write_bytes(b'the architecture is what counts here')
    asked = {}
    create = open_clip.create_model
    monkeypatch.setattr(open_clip, 'create_model', lambda *args, **keys: asked.update(keys) or create(*args, **keys))
    monkeypatch.setattr(open_clip, 'load_checkpoint', lambda *args, **kwargs: {})
    monkeypatch.setattr('lgd_mm.models.teachers.open_clip.load_checkpoint_file', lambda path: {})
    monkeypatch.setattr('lgd_mm.models.teachers.open_clip.bounded_build', lambda *args: nullcontext())
    teacher = statistics(OpenCLIPTeacher(model, tag, checkpoint=str(file)))
    assert teacher.embed_dim == width and teacher.image_size == (size, size)
    assert asked['force_quick_gelu'] == quick_gelu
    expected = [0.5] * 3 if 'SigLIP' in model else [0.0] * 3 if 'Mobile' in model else [0.4815, 0.4578, 0.4082]
    torch.testing.assert_close(teacher.mean, torch.tensor(expected), atol=1e-3, rtol=0)
    assert teacher(torch.zeros(1, 3, 224, 224)).shape == (1, width)


def test_no_network_says_what_to_fetch(offline):
    with pytest.raises(UserError, match=r'RN50/openai.*fetch https://\S+open_clip_model.safetensors .*'
                       r'model\.teacher\.checkpoint'):
        OpenCLIPTeacher('RN50', 'openai')


@pytest.mark.parametrize('arguments, message', [
    (dict(model='RN5O'), "no model 'RN5O'; near it: .*RN50"),
    (dict(pretrained='opnai'), "'opnai' is neither a file nor a tag of RN50 .*openai"),
    (dict(checkpoint='/nowhere/rn50.pt'), 'model.teacher.checkpoint: no file /nowhere/rn50.pt'),
    (dict(model='local-dir:/nowhere'), '/nowhere holds no open_clip_config.json'),
])
def test_mistakes(arguments, message):
    with pytest.raises(UserError, match=message):
        OpenCLIPTeacher(**arguments)


def test_weights_of_another_model(tmp_path):
    name = write_tiny_teacher(tmp_path)
    config = json.loads((tmp_path / 'open_clip_config.json').read_text())
    config['model_cfg']['embed_dim'] = 16
    (tmp_path / 'open_clip_config.json').write_text(json.dumps(config))
    with pytest.raises(UserError, match='cannot be loaded into .*state dict'):
        OpenCLIPTeacher(name)


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path('bomb'), )


def test_hostile_pickle_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = write_tiny_teacher(tmp_path)
    (tmp_path / 'open_clip_model.safetensors').unlink()
    (tmp_path / 'open_clip_pytorch_model.bin').write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match='is cut off or not a checkpoint'):
        OpenCLIPTeacher(name)
    assert not (tmp_path / 'bomb').exists()


def test_no_tokenizer(tmp_path, monkeypatch):
    def broken(*args, **kwargs):
        raise ImportError('no module named transformers')

    teacher = OpenCLIPTeacher(write_tiny_teacher(tmp_path))
    monkeypatch.setattr(teacher_module.open_clip, 'get_tokenizer', broken)
    with pytest.raises(UserError, match='tokenizer of teacher .*transformers.*install'):
        teacher.encode_text(['a cat'])


@pytest.mark.parametrize(('model', 'file', 'tag'), [
    ('RN50', 'RN50.safetensors', 'openai'),  # all tags need the same
    ('MobileCLIP-S1', 'any.pt', 'datacompdr'),
    ('ViT-B-16-SigLIP', 'any.pt', 'webli'),
    ('ViT-B-32', 'laion2b_s34b_b79k.pt', 'laion2b_s34b_b79k'),
    ('ViT-B-32', 'ViT-B-32-openai.safetensors', 'openai'),
    ('ViT-B-32', 'vit_b_32-quickgelu-laion400m_e32-46683a32.pt', 'laion400m_e32'),  # as it is downloaded
    ('ViT-B-32', 'vit_base_patch32_clip_224.openai/open_clip_model.safetensors', 'openai'),
    ('ViT-B-32', 'models--laion--CLIP-ViT-B-32-laion2B-s34B-b79K/snapshots/1/open_clip_model.safetensors',
     'laion2b_s34b_b79k'),
    ('xlm-roberta-base-ViT-B-32', 'any.pt', 'laion5b_s13b_b90k'),
])
def test_the_tag_of_a_file(model, file, tag):
    """By what all tags have in common, or by the name of the file or its folder."""
    assert tag_of_file(model, file, '') == tag


def test_a_file_of_one_of_several_tags(tmp_path):
    """Asked for, unless the folder's own config says it."""
    file = tmp_path / 'ViT-B-32.pt'
    file.touch()
    with pytest.raises(UserError, match=r'tags of ViT-B-32 differ .*openai, .*--teacher ViT-B-32/TAG='):
        teacher_model(f'ViT-B-32/{file}')
    with pytest.raises(UserError, match=r'tags of ViT-B-32 differ .*model.teacher.checkpoint=FILE'):
        OpenCLIPTeacher('ViT-B-32', pretrained=str(file))
    about = dict(model_cfg=dict(quick_gelu=True), preprocess_cfg=dict(mean=list(OPENAI_DATASET_MEAN)))
    (tmp_path / 'open_clip_config.json').write_text(json.dumps(about))
    assert teacher_model(f'ViT-B-32/{file}')['pretrained'] == 'openai'


@pytest.mark.parametrize('content', [
    '[' * 100_000, '9' * 5000, '[]', '{"model_cfg": [1]}', '{"model_cfg": {}, "preprocess_cfg": [1]}',
    '{"model_cfg": {}, "preprocess_cfg": {"mean": "abc"}}', '{"model_cfg": {}, "preprocess_cfg": {"std": [{}]}}'])
def test_what_else_lies_beside_a_file_tells_nothing(content, tmp_path):
    (tmp_path / 'open_clip_config.json').write_text(content)
    with pytest.raises(UserError, match='the tags of ViT-B-32 differ'):
        tag_of_file('ViT-B-32', tmp_path / 'mine.safetensors', 'TAG')


def test_a_file_with_its_tag(tmp_path, monkeypatch, capsys):
    """Relative, with a space, at home, or a link to a file without ending; the config names the whole path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'blob').touch()
    (tmp_path / 'my weights.safetensors').symlink_to(tmp_path / 'blob')
    expected = dict(type='lgd_mm.OpenCLIPTeacher', model='RN50', pretrained='openai',
                    checkpoint=str(tmp_path / 'my weights.safetensors'))
    for file in ('my weights.safetensors', '~/my weights.safetensors', f'{tmp_path}/my weights.safetensors'):
        assert teacher_model(f'RN50/{file}') == teacher_model(f'RN50/openai={file}') == expected
    assert 'with the activation and image statistics of RN50/openai' in capsys.readouterr().out
    with pytest.raises(UserError, match='there is no file gone.pt'):
        teacher_model('RN50/openai=gone.pt')
    with pytest.raises(UserError, match="'opnai' is no tag of RN50, and says which activation .* give one of openai"):
        OpenCLIPTeacher('RN50', 'opnai', checkpoint=str(tmp_path / 'blob'))


def test_views_are_resized_as_the_tag_says(tmp_path):
    """A folder's own config may ask for bilinear interpolation, as MobileCLIP's tag does."""
    name = write_tiny_teacher(tmp_path)
    config = tmp_path / 'open_clip_config.json'
    about = json.loads(config.read_text())
    pictures = torch.rand(1, 3, 48, 48)
    by = {}
    for kind in ('bicubic', 'bilinear'):
        about['preprocess_cfg']['interpolation'] = kind
        config.write_text(json.dumps(about))
        teacher = statistics(OpenCLIPTeacher(name))
        by[kind] = teacher._own_images(pictures)
        torch.testing.assert_close(by[kind], F.interpolate(
            torch.addcmul(teacher.shift, pictures, teacher.scale), size=(32, 32), mode=kind, antialias=True))
    assert not torch.allclose(by['bicubic'], by['bilinear'])
