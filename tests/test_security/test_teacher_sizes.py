"""The folder of a teacher: no larger a model than its weights, no larger a vocabulary than any, and sane statistics."""

import gzip
import json
import os
import resource
import shutil

import pytest

from lgd_mm.api.teachers import SHAPES_FOLDER
from lgd_mm.errors import UserError
from lgd_mm.models.teachers import OpenCLIPTeacher

SMALL = dict(image_size=64, patch_size=8, width=64, layers=1)


@pytest.fixture
def folder(tmp_path):
    """Writes one, with something changed."""

    def write(vision=None, text=None, preprocess=None):
        shutil.copy(SHAPES_FOLDER / 'open_clip_model.safetensors', tmp_path)
        content = json.loads((SHAPES_FOLDER / 'open_clip_config.json').read_text())
        content['model_cfg']['vision_cfg'] = {**content['model_cfg']['vision_cfg'], **(vision or {})}
        content['model_cfg']['text_cfg'] |= text or {}
        content['preprocess_cfg'] |= preprocess or {}
        (tmp_path / 'open_clip_config.json').write_text(json.dumps(content))
        return tmp_path

    return write


@pytest.mark.parametrize('changes', [
    dict(vision=dict(SMALL, width=6144, layers=4)), dict(text=dict(width=6144, heads=2, layers=4)),
    dict(text=dict(vocab_size=2**20, width=704)),
    dict(vision=dict(timm_model_name='vit_gigantic_patch14_clip_224')),
    dict(vision=dict(timm_model_name='eva02_enormous_patch14_clip_224')),
    dict(vision=dict(SMALL, image_size=2**15, patch_size=2)),
    dict(text=dict(context_length=2**16))], ids=str)
def test_a_model_far_larger_than_its_weights(changes, folder):
    folder = folder(**changes)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match='safetensors describes a network far larger than the .* values'):
        OpenCLIPTeacher(f'local-dir:{folder}')
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_500_000  # kB


@pytest.mark.parametrize('changes, said', [
    *((dict(preprocess={key: value}), f'preprocess_cfg.{key} is not three numbers of channels') for key, value in (
        ('mean', 'abc'), ('mean', [1, 2]), ('mean', [1, 'x', 1]), ('mean', [10**400, 1, 1]), ('std', [1, 0, 1]),
        ('std', {}), ('std', 5))),
    *((dict(text=dict(tokenizer_kwargs=dict(clean=value))), 'tokenizer_kwargs.clean is none of lower')
      for value in ('os.system', ['lower'], None)),
])
def test_settings_of_another_kind(changes, said, folder):
    with pytest.raises(UserError, match=f'open_clip_config.json: .*{said}'):
        OpenCLIPTeacher(f'local-dir:{folder(**changes)}')


@pytest.mark.parametrize('changes', [dict(text=dict(layers=2**20)), dict(vision=dict(layers=[9000] * 4))])
def test_more_layers_than_any_model_has(changes, folder):
    with pytest.raises(UserError, match='layers.* is more than 1,000: no model has such a size'):
        OpenCLIPTeacher(f'local-dir:{folder(**changes)}')


def merges(text: bytes) -> bytes:
    return gzip.compress(text, 1)


@pytest.mark.parametrize('content, said', [
    (lambda: merges(b'a b\n' * 2**23), 'more than 16,777,216 bytes'), (lambda: merges(b'\xff\xfe' * 9), 'utf-8'),
    (lambda: merges(b'a b\n' * 99)[:-9], 'ended before'), (lambda: b'no gzip', 'gzip'),
    (lambda: merges(b'a b\n' * 99)[:20] + b'x' * 40, ''), (lambda: None, 'a pipe')])
def test_merges_that_cannot_be_read(content, said, folder):
    folder = folder()
    if (written := content()) is None:
        os.mkfifo(folder / 'bpe.txt.gz')
    else:
        (folder / 'bpe.txt.gz').write_bytes(written)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match=f'bpe.txt.gz cannot be read as the merges of a tokenizer .*{said}'):
        OpenCLIPTeacher(f'local-dir:{folder}').encode_text(['cat'])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000
