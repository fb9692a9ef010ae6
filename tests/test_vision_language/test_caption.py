"""Captions of images are those of the test of a training, whose regions were extracted before."""

import csv
import json
import pickle
import shutil

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import lgd_mm
from lgd_mm.engine.launch import test as run_test
from lgd_mm.engine.summary import next_step
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.vision_language.caption import Captions
from lgd_mm.vision_language.student import load_student
from tests.configs import read_config
from tests.test_cli.test_commands import told, typed
from tests.test_vision_language.conftest import NAMES


def predicted(world, tmp_path, **options):
    """What tools/test.py predicts of the stored regions: path -> caption."""
    run_test(str(world.folder / 'captions_alone.py'), str(world.captions / 'student.safetensors'),
             str(tmp_path / 'test'), out=str(tmp_path / 'found.pkl'), cfg_options=options)
    with (tmp_path / 'found.pkl').open('rb') as file:
        return {sample['img_path']: sample['pred_caption'] for sample in pickle.load(file)}


def test_captions_are_those_of_the_test_loop(world, tmp_path):
    wanted = predicted(world, tmp_path)
    paths = [str(world.images / name) for name in NAMES]
    assert sorted(wanted) == paths and len(set(wanted.values())) > 2 and all(wanted.values()), wanted
    found = lgd_mm.caption(world.captions, world.images, world.run)
    assert dict(zip(found.paths, found.captions)) == wanted and found.paths == paths
    config, checkpoint = world.detector
    again = lgd_mm.caption(world.captions / 'student.safetensors', paths[1:3][::-1], checkpoint, config=config)
    assert dict(zip(again.paths, again.captions)) == {path: wanted[path] for path in paths[1:3]}
    assert again.paths == paths[1:3][::-1]
    assert lgd_mm.caption(world.captions, [paths[4], world.images], world.run).paths == [paths[4], *paths]


def test_beams(world, tmp_path):
    wanted = predicted(world, tmp_path, **{'model.task.beams': 8})
    found = lgd_mm.caption(world.captions, world.images, world.run, beams=8)
    assert dict(zip(found.paths, found.captions)) == wanted != predicted(world, tmp_path)
    with pytest.raises(UserError, match='beams is 22: give a number from 1 to the 21 word pieces'):
        lgd_mm.caption(world.captions, world.images, world.run, beams=22)


def test_the_student_of_a_distillation_is_in_its_checkpoint(world):
    """With what it reads, and without its teacher."""
    student = load_student(world.captions / 'epoch_1.pth')
    state = load_checkpoint_file(world.captions / 'epoch_1.pth')['state_dict']
    assert all(torch.equal(value, state[f'student.{key}']) for key, value in student.model.state_dict().items())
    exported = load_student(world.captions / 'student.safetensors')
    assert exported.about == student.about and exported.iteration == student.iteration == 2
    assert student.trained_on.lengths == [8, 5, 6] and student.trained_on.regions.tags == ['nut', 'bolt', 'washer']
    assert student.about.model.task.longest == 6 and not student.model.training


def test_typed(world, tmp_path, monkeypatch, capsys):
    """A table, a file, and what cannot be read."""
    found = lgd_mm.caption(world.captions, world.images, world.run)
    said = typed('caption', world.captions, world.images / NAMES[0], '--detector', world.run)
    assert said.startswith('loading the libraries ...\n')
    assert said.endswith(f'\n{world.images / NAMES[0]}  {found.captions[0]}\n')  # whole at any width
    words = 'caption', world.captions, world.images, '--detector', world.detector[1], '--config', world.detector[0]
    assert typed(*words, '--out', tmp_path / 'a.csv').endswith(f'{tmp_path}/a.csv: captions of 5 images\n')
    with (tmp_path / 'a.csv').open(newline='') as file:
        rows = list(csv.reader(file))
    assert rows == [['image', 'caption'], *([path, f"'{text}" if text[0] == '=' else text]
                                               for path, text in zip(found.paths, found.captions))]
    photos = tmp_path / 'photos'
    photos.mkdir()
    (photos / 'a.jpg').write_text('no image')
    (photos / 'b.png').write_bytes((world.images / NAMES[2]).read_bytes()[:80])
    (photos / 'c.png').write_bytes((world.images / NAMES[2]).read_bytes())
    last = told(monkeypatch, capsys, 'caption', world.captions, photos, '--detector', world.run, '--out',
                tmp_path / 'b.json', code=3)
    assert last.startswith(f'error: 2 of 3 images could not be read, the last of them {photos}/b.png: OSError: ')
    records = json.loads((tmp_path / 'b.json').read_text())
    assert records == [dict(image=f'{photos}/c.png', caption=found.captions[2])]
    assert typed(*words, '--out', tmp_path / 'b.json')  # written again
    last = told(monkeypatch, capsys, 'caption', world.captions, photos / 'a.jpg', '--detector', world.run, code=3)
    assert last.startswith(f'error: none of 1 images can be read: {photos}/a.jpg: Unidentified')
    cv2.imwrite(str(photos / 'a.jpg'), np.zeros((3000, 2, 3), np.uint8))
    last = told(monkeypatch, capsys, 'caption', world.captions, photos / 'a.jpg', '--detector', world.run, code=3)
    assert last.endswith(f'{photos}/a.jpg: 2 x 3000 pixels: too narrow for this detector')


def test_images_of_every_kind(world, tmp_path):
    """Grey, with transparency, of 16 bits, and of a few pixels."""
    rng = np.random.default_rng(0)
    for name, image in {'grey': rng.integers(0, 255, (40, 60), np.uint8), 'clear': rng.integers(
            0, 255, (40, 60, 4), np.uint8), 'deep': rng.integers(0, 2**16, (40, 60), np.uint16),
            'dot': np.zeros((1, 1, 3), np.uint8), 'line': np.zeros((2, 90, 3), np.uint8)}.items():
        cv2.imwrite(str(tmp_path / f'{name}.png'), image)
    found = lgd_mm.caption(world.captions, tmp_path, world.run)
    assert len(found.captions) == 5 and found.unreadable == []


def test_many_images(world, tmp_path, capsys):
    """More than are read at a time: how far it is goes to standard error, and each image has its own caption."""
    for number in range(11):
        shutil.copy(world.images / NAMES[number % 5], tmp_path / f'{number:02}.png')
    wanted = lgd_mm.caption(world.captions, world.images, world.run).captions
    assert lgd_mm.caption(world.captions, tmp_path, world.run).captions == [wanted[number % 5] for number in range(11)]
    assert capsys.readouterr().out == ''


def test_what_a_training_ends_with(world, tmp_path):
    """The command of its task, as a shell takes it; a teacher that sees another detector's boxes has none."""
    for config, folder, command in (('captions', world.captions, 'caption {} IMAGES --detector DETECTOR'),
                                    ('answers', world.answers, 'ask {} IMAGE "what is it?" --detector DETECTOR')):
        cfg = read_config(world.folder / f'{config}.py')
        cfg.work_dir = str(folder)
        test, images = next_step('config.py', cfg).splitlines()
        assert test == f'next: python tools/test.py config.py {folder}/epoch_1.pth'
        assert images == f'or: lgd-mm {command.format(folder)}'
    file = tmp_path / 'student.safetensors'
    shutil.copy(world.answers / 'epoch_1.pth', tmp_path)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_1.pth'))
    for boxes, lines in ((None, 2), ('a store', 1)):
        save_file({}, file, dict(trained_on=json.dumps(dict(regions=dict(boxes=boxes)))))
        cfg.work_dir = str(tmp_path)
        assert len(next_step('config.py', cfg).splitlines()) == lines


def test_other_commands_tell_which_are_for_it(world, tmp_path):
    """And the test of a distillation tells what its student's file is."""
    for network in (world.captions, world.captions / 'student.safetensors'):
        with pytest.raises(UserError, match='is of a model of vision and language: `lgd-mm caption` writes captions'):
            lgd_mm.predict(network, world.images, tmp_path / 'found')
    with pytest.raises(UserError, match='student.safetensors holds model.student of the config alone: give a check'):
        run_test(str(world.folder / 'captions.py'), str(world.captions / 'student.safetensors'), str(tmp_path / 'test'))


def test_another_file_is_not_replaced(world, tmp_path):
    found = Captions(['=a.png'], ['-b'], [])
    assert found.write(tmp_path / 'a.csv').read_text() == "image,caption\n./=a.png,'-b\n"
    for name, content in (('b.csv', 'picture,rank\n'), ('b.json', '{}'), ('c.json', '[{"image": 1}]')):
        (tmp_path / name).write_text(content)
        with pytest.raises(UserError, match='exists and is no'):
            found.write(tmp_path / name)
        assert (tmp_path / name).read_text() == content
    with pytest.raises(UserError, match='is neither .csv nor .json'):
        found.write(tmp_path / 'a.txt')
    with pytest.raises(UserError, match='is no folder'):
        found.write(tmp_path / 'x/a.csv')
    assert json.loads(Captions([], [], []).write(tmp_path / 'd.json').read_text()) == []
    found.write(tmp_path / 'd.json')
