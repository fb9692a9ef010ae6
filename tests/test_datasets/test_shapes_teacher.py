"""The shipped teachers: small, loadable by open_clip, and right about images they have not seen."""

import importlib.util
import json
import os
import re
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file

from lgd_mm.datasets import shapes
from lgd_mm.datasets.shapes import COLOURS, WORLDS, make_scene
from lgd_mm.models.teachers import OpenCLIPTeacher
from tests.processes import run_program
from tests.tiny import write_tiny_teacher

FOLDERS = {world: Path(shapes.__file__).parent / folder
           for world, folder in {'shapes': 'teacher', 'harder': 'teacher_harder'}.items()}
SCRIPT = Path(__file__).parents[2] / 'tools' / 'train_shapes_teacher.py'
LIMIT = 3_000_000  # bytes
#: Least zero-shot accuracies: of categories and of colours.
LEAST = {'shapes': (0.93, 0.88), 'harder': (0.75, 0.95)}


@pytest.fixture(scope='module', params=WORLDS)
def world(request) -> str:
    return request.param


@pytest.fixture(scope='module')
def folder(world) -> Path:
    return FOLDERS[world]


@pytest.fixture(scope='module')
def teacher(folder) -> OpenCLIPTeacher:
    teacher = OpenCLIPTeacher(f'local-dir:{folder}')
    teacher.set_input_statistics(torch.zeros(3), torch.full((3, ), 255.0))
    return teacher


@pytest.fixture(scope='module')
def scenes(world):
    return [make_scene('zero_shot', index, 1, world) for index in range(240)]


def test_folder_is_small_and_complete(folder):
    files = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert set(files) == {'README.md', 'bpe.txt.gz', 'open_clip_config.json', 'open_clip_model.safetensors'}
    assert sum(files.values()) <= LIMIT


@pytest.mark.parametrize('kind', ['name', 'colour'])
def test_zero_shot_accuracy(teacher, scenes, world, kind):
    names, least = dict(name=(WORLDS[world].classes, LEAST[world][0]), colour=(COLOURS, LEAST[world][1]))[kind]
    prompts = [template(name) for name in names for template in open_clip.OPENAI_IMAGENET_TEMPLATES]
    texts = torch.nn.functional.normalize(teacher.encode_text(prompts), dim=1).view(len(names), 80, -1).mean(1)
    images = torch.from_numpy(np.stack([scene.image for scene in scenes])).permute(0, 3, 1, 2) / 255
    guesses = (teacher(images) @ torch.nn.functional.normalize(texts, dim=1).T).argmax(1)
    right = [names[guess] == getattr(scene.objects[0], kind) for guess, scene in zip(guesses, scenes)]
    assert sum(right) / len(right) >= least


def test_open_clip_alone_loads_it(folder):
    model, preprocess = open_clip.create_model_from_pretrained(f'local-dir:{folder}')
    assert model.visual.image_size == 64 and next(model.parameters()).dtype == torch.float32
    assert model.token_embedding.num_embeddings == open_clip.get_tokenizer(
        f'local-dir:{folder}', bpe_path=str(folder / 'bpe.txt.gz')).vocab_size


def test_every_prompt_fits_the_context(folder, world):
    tokenizer = open_clip.get_tokenizer(f'local-dir:{folder}', bpe_path=str(folder / 'bpe.txt.gz'))
    coloured = [f'{colour} {name}' for colour in COLOURS for name in WORLDS[world].classes]
    prompts = [template(name) for name in (coloured if world == 'shapes' else WORLDS[world].names)
               for template in open_clip.OPENAI_IMAGENET_TEMPLATES]
    assert (tokenizer(prompts)[:, -1] == 0).all()


@pytest.fixture(scope='module')
def script():
    spec = importlib.util.spec_from_file_location('train_shapes_teacher', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(script, monkeypatch, capsys, *options, code=2):
    monkeypatch.setattr('sys.argv', [str(SCRIPT), *map(str, options)])
    with pytest.raises(SystemExit) as end:
        script.main()
    assert end.value.code == code
    return capsys.readouterr().err


@pytest.mark.parametrize(('start', 'told'), [
    ('nowhere', 'nowhere'), ('empty', 'open_clip_model.safetensors'), ('damaged', 'open_clip_model.safetensors'),
    ('wider', r'--start \S*wider: \S+ is not as in the teacher of a world: name a folder that this script wrote'),
    ('less', '--start .*: logit_scale is not as in the teacher'), ('more', '--start .*: foo is not as in the teacher')])
def test_a_start_that_is_none_writes_nothing(script, tmp_path, monkeypatch, capsys, start, told):
    """So the same --out serves again."""
    weights = load_file(FOLDERS['shapes'] / 'open_clip_model.safetensors')
    for name in ('empty', 'damaged', 'wider', 'less', 'more'):
        (tmp_path / name).mkdir()
    (tmp_path / 'damaged' / 'open_clip_model.safetensors').write_bytes(b'nothing')
    write_tiny_teacher(tmp_path / 'wider')
    save_file({key: value for key, value in weights.items() if key != 'logit_scale'},
              tmp_path / 'less' / 'open_clip_model.safetensors')
    save_file({**weights, 'foo': torch.ones(1)}, tmp_path / 'more' / 'open_clip_model.safetensors')
    error = call(script, monkeypatch, capsys, '--out', tmp_path / 'out', '--start', tmp_path / start,
                 code=3 if start == 'damaged' else 2)
    assert re.search(told, error) and error.count('\n') == 1
    assert not (tmp_path / 'out').exists()


def test_a_start_that_is_one(script):
    for folder in FOLDERS.values():
        script.check_start(folder)
        assert json.loads((folder / 'open_clip_config.json').read_text()) == script.CONFIG


@pytest.mark.parametrize('taken', ['file', 'folder'])
def test_an_out_that_is_taken(script, tmp_path, monkeypatch, capsys, taken):
    (tmp_path / 'file').write_text('')
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'folder' / 'something').write_text('')
    assert 'is not empty: name a new folder' in call(script, monkeypatch, capsys, '--out', tmp_path / taken)


@pytest.mark.slow
def test_script_remakes_the_folder(tmp_path, world, folder):
    command = [str(SCRIPT), '--world', world, '--out', str(tmp_path / 'teacher'), '--steps', '2', '--pictures', '150']
    if world == 'harder':  # its teacher goes on from the first
        command += ['--start', str(FOLDERS['shapes'])]
    done = run_program(command, SCRIPT.parent, os.environ)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / 'teacher').iterdir()} == {path.name for path in folder.iterdir()}
    for name in ('bpe.txt.gz', 'open_clip_config.json'):  # the shipped folder is what the script writes now
        assert (tmp_path / 'teacher' / name).read_bytes() == (folder / name).read_bytes()
    shapes_of = [{key: value.shape for key, value in load_file(place / 'open_clip_model.safetensors').items()}
                 for place in (tmp_path / 'teacher', folder)]
    assert shapes_of[0] == shapes_of[1]

    again = run_program(command, SCRIPT.parent, os.environ)
    assert again.returncode == 2 and again.stderr.strip().endswith('is not empty: name a new folder')
