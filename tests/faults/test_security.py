"""Nothing that comes from outside is run."""

import ast
from pathlib import Path

import pytest

from lgd_mm.engine.settings import load_config
from lgd_mm.errors import UserError
from lgd_mm.preparation.voc import read_split
from tests.tiny import ROOT

#: Calls that may run what they read, and the one file that may use them, restricted.
RUNNING = {'torch.load': 'lgd_mm/io/safe_load.py', 'pickle.load': None, 'pickle.loads': None, 'yaml.load': None,
           'eval': None, 'exec': None, 'os.system': None, 'mmengine.load': None, 'joblib.load': None,
           'torch.hub.load': None, 'marshal.loads': None}


def calls(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize('folder', ['lgd_mm', 'tools', 'configs', 'benchmarks'])
def test_no_call_runs_what_it_reads(folder):
    seen = []
    for path in sorted((ROOT / folder).rglob('*.py')):
        name = str(path.relative_to(ROOT))
        for call, node in calls(path):
            words = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if call in RUNNING and RUNNING[call] != name:
                seen.append(f'{name}: {call}')
            if call == 'torch.load' and words.get('weights_only') != 'True':
                seen.append(f'{name}: torch.load without weights_only')
            if words.get('allow_pickle') == 'True' or words.get('shell') == 'True':
                seen.append(f'{name}: {call} with allow_pickle or shell')
    assert seen == []


@pytest.mark.parametrize('address', ['https://example.org/config.py', 'file:///etc/passwd', 's3://bucket/config.py'])
def test_a_config_is_a_file_of_this_machine(address):
    with pytest.raises(UserError, match='is an address: a config is a program, so read it first'):
        load_config(address, None, None, 'none')


def test_an_xml_that_grows_is_refused(tmp_path):
    laughs = ''.join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    (tmp_path / 'Annotations').mkdir()
    (tmp_path / 'JPEGImages').mkdir()
    (tmp_path / 'ImageSets/Main').mkdir(parents=True)
    (tmp_path / 'ImageSets/Main/train.txt').write_text('one\n')
    (tmp_path / 'Annotations/one.xml').write_text(
        f'<?xml version="1.0"?><!DOCTYPE a [{laughs}]><annotation>&l9;</annotation>')
    with pytest.raises(UserError, match='one.xml is no valid XML .*amplification'):
        read_split(tmp_path, 'train')
