"""The shipped teacher: small, loadable by open_clip, and right about images it has not seen."""

import os
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file

from lgd_mm.datasets import shapes
from lgd_mm.datasets.shapes import COLOURS, SHAPES, make_scene
from lgd_mm.models.teachers import OpenCLIPTeacher
from tests.processes import run_program

FOLDER = Path(shapes.__file__).parent / 'teacher'
SCRIPT = Path(__file__).parents[2] / 'tools' / 'train_shapes_teacher.py'
LIMIT = 3_000_000  # bytes


@pytest.fixture(scope='module')
def teacher() -> OpenCLIPTeacher:
    teacher = OpenCLIPTeacher(f'local-dir:{FOLDER}')
    teacher.set_input_statistics(torch.zeros(3), torch.full((3, ), 255.0))
    return teacher


@pytest.fixture(scope='module')
def scenes():
    return [make_scene('zero_shot', index, seed=1) for index in range(240)]


def test_folder_is_small_and_complete():
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(files) == {'README.md', 'bpe.txt.gz', 'open_clip_config.json', 'open_clip_model.safetensors'}
    assert sum(files.values()) <= LIMIT


@pytest.mark.parametrize(('names', 'kind', 'least'), [(SHAPES, 'shape', 0.93), (COLOURS, 'colour', 0.88)])
def test_zero_shot_accuracy(teacher, scenes, names, kind, least):
    prompts = [template(name) for name in names for template in open_clip.OPENAI_IMAGENET_TEMPLATES]
    texts = torch.nn.functional.normalize(teacher.encode_text(prompts), dim=1).view(len(names), 80, -1).mean(1)
    images = torch.from_numpy(np.stack([scene.image for scene in scenes])).permute(0, 3, 1, 2) / 255
    guesses = (teacher(images) @ torch.nn.functional.normalize(texts, dim=1).T).argmax(1)
    right = [names[guess] == getattr(scene.objects[0], kind) for guess, scene in zip(guesses, scenes)]
    assert sum(right) / len(right) >= least


def test_open_clip_alone_loads_it():
    model, preprocess = open_clip.create_model_from_pretrained(f'local-dir:{FOLDER}')
    assert model.visual.image_size == 64 and next(model.parameters()).dtype == torch.float32
    assert model.token_embedding.num_embeddings == open_clip.get_tokenizer(
        f'local-dir:{FOLDER}', bpe_path=str(FOLDER / 'bpe.txt.gz')).vocab_size


def test_every_prompt_fits_the_context():
    tokenizer = open_clip.get_tokenizer(f'local-dir:{FOLDER}', bpe_path=str(FOLDER / 'bpe.txt.gz'))
    prompts = [template(f'{colour} {shape}') for colour in COLOURS for shape in SHAPES
               for template in open_clip.OPENAI_IMAGENET_TEMPLATES]
    assert (tokenizer(prompts)[:, -1] == 0).all()


@pytest.mark.slow
def test_script_remakes_the_folder(tmp_path):
    command = [str(SCRIPT), '--out', str(tmp_path / 'teacher'), '--steps', '2', '--pictures', '150']
    done = run_program(command, SCRIPT.parent, os.environ)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / 'teacher').iterdir()} == {path.name for path in FOLDER.iterdir()}
    for name in ('bpe.txt.gz', 'open_clip_config.json'):  # the shipped folder is what the script writes now
        assert (tmp_path / 'teacher' / name).read_bytes() == (FOLDER / name).read_bytes()
    shapes_of = [{key: value.shape for key, value in load_file(folder / 'open_clip_model.safetensors').items()}
                 for folder in (tmp_path / 'teacher', FOLDER)]
    assert shapes_of[0] == shapes_of[1]

    again = run_program(command, SCRIPT.parent, os.environ)
    assert again.returncode == 2 and again.stderr.strip().endswith('is not empty: name a new folder')
