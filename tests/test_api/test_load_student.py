"""load_student(), embed() and zero_shot() against the model that was trained."""

import csv
import os

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image

import lgd_mm
import lgd_mm.api
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.registry import MODELS
from tests.test_api.conftest import NAMES
from tests.tiny import write_tiny_teacher


@pytest.fixture(scope='module')
def trained(run):
    """The LGD model of the run's checkpoint."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(Config.fromfile(run.config).model)
    model.load_state_dict(load_checkpoint_file(run.checkpoint)['state_dict'])
    return model.eval()


@pytest.fixture(scope='module')
def images():
    return torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_student_is_the_trained_network(run, trained, images):
    """From the folder, the checkpoint and the exported student; it normalises by itself."""
    processor = trained.data_preprocessor
    inputs = (255 * images - processor.mean) / processor.std
    maps = trained.backbone(inputs)[-1]
    for path in (run.out, run.checkpoint, run.student):
        student = lgd_mm.load_student(path)
        assert not any(module.training for module in student.modules())
        assert torch.allclose(student.maps(images)[-1], maps, atol=1e-4)
        assert torch.allclose(student(images), maps.mean(dim=(2, 3)), atol=1e-4)
        assert student.image_size == 64
    student = lgd_mm.load_student(run.out)
    assert torch.allclose(student.embed(images), F.normalize(trained.embed(inputs), dim=1), atol=1e-5)
    assert student.names == tuple(NAMES)


def test_what_a_student_lacks_is_told(run, tmp_path):
    """An exported student has no projection; a folder without a run, no student."""
    with pytest.raises(UserError, match='student.safetensors has no projection .*: give the folder of the pre-tra'):
        lgd_mm.zero_shot(run.student, run.out, NAMES)
    with pytest.raises(UserError, match='holds no student'):
        lgd_mm.load_student(tmp_path)
    with pytest.raises(UserError, match='gone.pth does not exist'):
        lgd_mm.load_student(tmp_path / 'gone.pth')
    torch.save(dict(state_dict={'layer.weight': torch.ones(1)}), tmp_path / 'other.pth')
    with pytest.raises(UserError, match='does not say of which backbone it is'):
        lgd_mm.load_student(tmp_path / 'other.pth')


def test_checkpoint_of_another_version(run, tmp_path):
    """A projection of other layers is told in a sentence, not by torch."""
    checkpoint = load_checkpoint_file(run.checkpoint)
    state = {key.replace('neck.mlp.0.weight', 'neck.fc1.weight'): value
             for key, value in checkpoint['state_dict'].items()}
    torch.save(dict(meta=checkpoint['meta'], state_dict=state), tmp_path / 'old.pth')
    with pytest.raises(UserError, match=r'old.pth has a projection .*: it is of another version than lgd_mm'):
        lgd_mm.load_student(tmp_path / 'old.pth')


def test_students_of_other_spaces(run, photos, tmp_path):
    """CompRess' embeddings are not its teacher's, another teacher's bank has another width, and some read no names."""
    checkpoint = load_checkpoint_file(run.checkpoint)
    torch.save(dict(meta=checkpoint['meta'], state_dict={**checkpoint['state_dict'], 'anchor.0.weight': torch.ones(1)}),
               tmp_path / 'compress.pth')
    assert lgd_mm.load_student(tmp_path / 'compress.pth').neck is None
    other = write_tiny_teacher(tmp_path / 'teacher')
    with pytest.raises(UserError, match='student have 64 dimensions, and those of the names 32: give the teacher'):
        lgd_mm.zero_shot(run.out, photos, NAMES, teacher=other, templates=['a {}.'])
    student = lgd_mm.load_student(run.out)
    student.model['teacher'] = dict(type='lgd_mm.BackboneTeacher')
    with pytest.raises(UserError, match=r'\(lgd_mm.BackboneTeacher\) embeds no names'):
        lgd_mm.zero_shot(student, photos, NAMES)


def test_zero_shot_is_what_the_model_predicts(run, trained, photos, tmp_path):
    """Without classes, by the bank in the checkpoint, as LGD itself; with classes, by the teacher."""
    found = lgd_mm.zero_shot(run.out, photos)
    assert found.names == NAMES and len(found.paths) == 20 and found.unreadable == []
    whole = Image.open(found.paths[3]).resize((73, 73), Image.Resampling.BILINEAR)
    picture = np.asarray(whole)[4:68, 4:68]
    inputs = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()
    processor = trained.data_preprocessor
    with torch.no_grad():
        embedding = F.normalize(trained.embed((inputs - processor.mean) / processor.std), dim=1)
    expected = (embedding @ trained.lgka.textual_bank.T / 0.01).softmax(dim=1)
    assert torch.allclose(found.scores[3], expected[0], atol=1e-3)
    assert found.labels[3] == NAMES[int(expected.argmax())]
    again = lgd_mm.zero_shot(run.out, photos, ','.join(reversed(NAMES)), templates=['a {}.'])
    assert torch.allclose(again.scores.flip(1), found.scores, atol=1e-4)
    other = lgd_mm.zero_shot(run.out, found.paths[3], ['cat', 'dog'], templates=['a {}.'])
    assert other.scores.shape == (1, 2)


def test_predictions_as_a_table(run, photos, tmp_path):
    """A row for each name, the best first; an image that cannot be read is named."""
    (tmp_path / 'broken.jpg').write_bytes(b'no image')
    (tmp_path / 'whole.png').write_bytes(next(photos.rglob('*.png')).read_bytes())
    found = lgd_mm.zero_shot(run.out, tmp_path)
    assert [path.rpartition('/')[2] for path in found.paths] == ['whole.png']
    assert len(found.unreadable) == 1 and 'broken.jpg' in found.unreadable[0]
    rows = list(csv.DictReader(found.write(tmp_path / 'new' / 'found.csv', k=2).open()))
    assert [(row['rank'], row['name']) for row in rows] == [
        (str(rank), name) for rank, (name, _) in enumerate(found.top(2)[0], 1)]
    assert float(rows[0]['score']) >= float(rows[1]['score'])
    assert 1 >= float(rows[0]['similarity']) >= float(rows[1]['similarity']) >= -1
    (tmp_path / 'folder').mkdir()
    with pytest.raises(UserError, match=r'folder cannot be written \(Is a directory\)'):
        found.write(tmp_path / 'folder')
    assert not list(tmp_path.glob('*.part'))
    odd = lgd_mm.api.Predictions([os.fsdecode(b'\xff.jpg')], ['a'], torch.ones(1, 1), torch.ones(1, 1), [])
    assert odd.write(tmp_path / 'odd.csv').read_bytes().splitlines()[1] == b'\xff.jpg,1,a,1.0000,1.0000'
    with pytest.raises(UserError, match='none of 1 images can be read'):
        lgd_mm.embed(run.student, tmp_path / 'broken.jpg')
    with pytest.raises(UserError, match='images: .*gone.png is no file'):
        lgd_mm.embed(run.student, [tmp_path / 'gone.png'])


def test_embeddings(run, photos):
    """Of the checkpoint features and embeddings, of the exported student features alone, and the same ones."""
    whole, bare = (lgd_mm.embed(path, photos, image_size=64) for path in (run.checkpoint, run.student))
    assert whole.features.shape == (20, 64) and whole.embeddings.shape == (20, 64) and bare.embeddings is None
    assert torch.equal(whole.features, bare.features)
