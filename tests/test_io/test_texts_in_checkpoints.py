"""What a checkpoint says about itself is bounded before it is read."""

import json
import os

import pytest
import torch
from mmengine.config import Config
from safetensors.torch import save_file

from lgd_mm.errors import UserError
from lgd_mm.io import safe_load
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.safety.config_text import parse_config
from lgd_mm.students.read import read_student

WEIGHTS = {'backbone.a': torch.zeros(2)}


@pytest.mark.parametrize('line', ['a = 1\n', 'a=1;', '1,'])
@pytest.mark.parametrize('form', ['pth', 'safetensors'])
def test_two_million_lines(tmp_path, monkeypatch, line, form):
    """They took four minutes: now they are counted, and nothing parses them."""
    monkeypatch.setattr('lgd_mm.students.read.parse_config', lambda text: pytest.fail('it was parsed'))
    path, config = tmp_path / f'a.{form}', line * 2_000_000
    if form == 'pth':
        torch.save(dict(meta=dict(cfg=config), state_dict=WEIGHTS), path)
    else:
        save_file(WEIGHTS, path, metadata=dict(cfg=config))
    with pytest.raises(UserError, match=f'a.{form} is not a checkpoint, its meta.cfg has [0-9]+,000,000 '
                                         'characters, more than any config'):
        read_student(path)


def test_many_entries(tmp_path, monkeypatch):
    save_file(WEIGHTS, tmp_path / 'a.safetensors', metadata={str(index): '' for index in range(10_001)})
    with pytest.raises(UserError, match='its metadata has 10,001 entries of 0 characters'):
        load_checkpoint_file(tmp_path / 'a.safetensors')
    monkeypatch.setattr(safe_load, 'TEXT', 10)
    save_file(WEIGHTS, tmp_path / 'a.safetensors', metadata=dict(a='x' * 11))
    with pytest.raises(UserError, match='its metadata has 1 entries of 11 characters'):
        load_checkpoint_file(tmp_path / 'a.safetensors')


def test_a_run_with_many_names(tmp_path):
    """Its config has a line for each."""
    lines = ',\n'.join(f"            'name of a category {index}'" for index in range(300_000))
    torch.save(dict(meta=dict(cfg=f'model = dict(lgka=dict(categories=[\n{lines}]))\n'), state_dict=WEIGHTS),
               tmp_path / 'a.pth')
    load_checkpoint_file(tmp_path / 'a.pth')


@pytest.mark.parametrize('text', [
    'a = ' + '[' * 5000 + ']' * 5000, 'a = ' + '(' * 100_000, 'a = ' + '-' * 50_000 + '1', 'a = ' + '1+' * 50_000 + '1',
    'a = x' + '.b' * 50_000, 'a = {[]: 1}', 'a = {**b}', 'a = 1' + '0' * 5000, 'a = {{1}: 2}', 'a = "\ud800"',
    'if ' * 1000, '\0', 'a = ' + 'dict(a=' * 3000 + ')' * 3000, 'a = f"{x}"', 'a = ' + 'not ' * 50_000 + 'b'])
def test_configs_that_are_none(text):
    parse_config(text + '\nb = 1\n')


@pytest.mark.parametrize('value', ['{', '[' * 100_000, '1' * 5000, '"\\ud800"', ''])
def test_metadata_that_is_no_json(tmp_path, value):
    save_file(WEIGHTS, tmp_path / 'a.safetensors', metadata=dict(
        format='pt', vocabulary_digest='"a"', backbone=value, iteration=json.dumps(1)))
    with pytest.raises(UserError, match='backbone in the metadata of a student'):
        read_student(tmp_path / 'a.safetensors')


def test_a_pipe_is_no_checkpoint(tmp_path):
    os.mkfifo(tmp_path / 'a.pth')
    for path in (tmp_path / 'a.pth', '/dev/zero'):
        with pytest.raises(UserError, match='cannot be read: it is a (pipe|device) and no plain file'):
            load_checkpoint_file(path)


@pytest.mark.parametrize('text', [
    'a0: &a0 [1, 1]\n' + ''.join(f'a{i + 1}: &a{i + 1} [{", ".join([f"*a{i}"] * 9)}]\n' for i in range(9)),
    'a: &a\n  b: *a\n', 'a: &a {x: 1}\nb: {<<: *a}\n'])
@pytest.mark.parametrize('form', ['.yaml', '.yml'])
def test_a_yaml_that_repeats_itself(text, form):
    with pytest.raises(UserError, match='the text of a config is no ya?ml of plain data .it (repeats itself|merges)'):
        Config.fromstring(text, form)
    assert Config.fromstring('a: &a [1]\nb: *a\n', form).b == [1]
