"""Captions of images are those of the test of a training, whose regions were extracted before."""

import csv
import json
import pickle

import lgd_mm
from lgd_mm.engine.launch import test as run_test
from tests.test_vision_language.conftest import NAMES


def test_captions_are_those_of_the_test_loop(world, tmp_path):
    run_test(str(world.folder / 'captions_alone.py'), str(world.captions / 'student.safetensors'),
             str(tmp_path / 'test'), out=str(tmp_path / 'found.pkl'))
    with (tmp_path / 'found.pkl').open('rb') as file:
        wanted = {sample['img_path']: sample['pred_caption'] for sample in pickle.load(file)}
    paths = [str(world.images / name) for name in NAMES]
    assert sorted(wanted) == paths and len(set(wanted.values())) > 2 and all(wanted.values()), wanted
    found = lgd_mm.caption(world.captions, world.images, world.run)
    assert dict(zip(found.paths, found.captions)) == wanted and found.paths == paths
    config, checkpoint = world.detector
    again = lgd_mm.caption(world.captions / 'student.safetensors', paths[1:3][::-1], checkpoint, config=config)
    assert dict(zip(again.paths, again.captions)) == {path: wanted[path] for path in paths[1:3]}
    assert again.paths == paths[1:3][::-1]
