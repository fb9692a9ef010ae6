"""Student files: both forms say the same, are complete or absent, and load in mmpretrain."""

import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpretrain.models import ResNet
from safetensors import safe_open

from lgd_mm.errors import UserError
from lgd_mm.language import Vocabulary
from lgd_mm.registry import MODELS
from lgd_mm.students import export_checkpoint, read_student, student_metadata, write_student
from lgd_mm.version import __version__
from tests.tiny import lgd_model, write_tiny_teacher

METADATA = dict(
    backbone=dict(type='mmpretrain.ResNet', depth=18), mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0], teacher=None,
    vocabulary_digest='abc', lgd_mm=__version__, iteration=7)


@pytest.fixture
def weights():
    torch.manual_seed(0)
    return ResNet(depth=18, stem_channels=8, base_channels=8).state_dict()


@pytest.mark.parametrize('form', [0, 1], ids=['safetensors', 'pth'])
def test_round_trip(tmp_path, weights, form):
    """What is written is read, bit by bit."""
    path = write_student(weights, METADATA, tmp_path / 'new' / 'student')[form]
    again, metadata = read_student(path)
    assert metadata == METADATA
    assert again.keys() == weights.keys()
    assert all(torch.equal(again[key], weights[key]) for key in weights)
    assert sorted(file.name for file in path.parent.iterdir()) == ['student.pth', 'student.safetensors']
    assert len({file.stat().st_mode for file in path.parent.iterdir()}) == 1, 'one is hidden from other users'


def test_metadata_is_json_in_safetensors(tmp_path, weights):
    """Readable without this package."""
    path, _ = write_student(weights, METADATA, tmp_path / 'student')
    with safe_open(path, framework='pt') as file:
        metadata = file.metadata()
        assert all(key.startswith('backbone.') for key in file.keys())
    assert json.loads(metadata['backbone']) == METADATA['backbone'] and json.loads(metadata['iteration']) == 7


def test_pth_loads_where_code_may_not_run(tmp_path, weights):
    """Plain values only."""
    _, path = write_student(weights, METADATA, tmp_path / 'student')
    checkpoint = torch.load(path, weights_only=True)
    assert checkpoint['meta'] == METADATA and set(checkpoint) == {'meta', 'state_dict'}


def test_failed_write_leaves_nothing(tmp_path, weights, monkeypatch):
    """A full disk while writing is one sentence and no file."""

    write = Path.write_bytes

    def full(path, content):
        write(path, content[:100])
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Path, 'write_bytes', full)
    with pytest.raises(UserError, match='No space left on device'):
        write_student(weights, METADATA, tmp_path / 'student')
    assert list(tmp_path.iterdir()) == []


def test_export_from_a_training_checkpoint(tmp_path, monkeypatch):
    """Backbone keys alone, with what the checkpoint's config and names say."""
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'cache'))
    model = lgd_model(write_tiny_teacher(tmp_path / 'teacher'))
    state = MODELS.build(model).state_dict()
    cfg = Config(dict(model=model, default_scope='mmpretrain'))
    torch.save(dict(meta=dict(cfg=cfg.pretty_text, iter=12), state_dict=state), tmp_path / 'epoch_1.pth')

    tensors, pickle = export_checkpoint(tmp_path / 'epoch_1.pth', tmp_path / 'out.safetensors')
    assert (tensors.name, pickle.name) == ('out.safetensors', 'out.pth')
    weights, metadata = read_student(tensors)
    assert {'backbone.' + key for key in weights} == {key for key in state if key.startswith('backbone.')}
    assert all(torch.equal(value, state['backbone.' + key]) for key, value in weights.items())
    assert metadata['backbone'] == model['backbone'] and metadata['teacher'] == model['teacher']
    assert metadata['mean'] == [123.675, 116.28, 103.53] and metadata['std'] == [58.395, 57.12, 57.375]
    assert metadata['vocabulary_digest'] == Vocabulary(('cat', 'dog', 'bicycle'), ('a photo of a {}.', )).digest
    assert (metadata['iteration'], metadata['lgd_mm']) == (12, __version__)


def test_unknown_metadata_is_none():
    """A checkpoint of another library says less."""
    assert student_metadata({}, None, {}) == dict(
        backbone=None, mean=None, std=None, image_size=None, teacher=None, vocabulary_digest=None, lgd_mm=__version__,
        iteration=None)


def test_no_backbone(tmp_path):
    """The sentence names the keys that are there."""
    torch.save(dict(state_dict=dict(conv1=torch.zeros(1))), tmp_path / 'other.pth')
    with pytest.raises(UserError, match=r'other.pth holds no backbone: its keys \(conv1'):
        read_student(tmp_path / 'other.pth')
