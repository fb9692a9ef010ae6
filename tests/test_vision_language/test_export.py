"""What an exported student says without torch is what the student says."""

import re
import runpy
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml

import lgd_mm
from lgd_mm.errors import UserError
from lgd_mm.exports.onnx_graph import opened, run
from lgd_mm.vision_language.step import Step, sample_inputs
from lgd_mm.vision_language.student import load_student
from tests.test_vision_language.conftest import ANSWERS, NAMES, QUESTIONS, WORDS, write_captioner
from tests.test_vision_language.test_detector import student_of

#: Runs the code of a card in its folder, which may import nothing else.
ALONE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in ('torch', 'lgd_mm', 'mmengine'):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
sys.path.insert(0, '')
"""


def write_regions(report, store, name):
    """Run the code of the card that writes the regions of an image, beside it."""
    code = blocks_of(report)[1].replace("'regions'", repr(str(store))).replace('store.names[0]', repr(name))
    file = report.folder / f'{name}.npz'
    exec(code.replace("'regions.npz'", repr(str(file))), {})
    return file


@pytest.fixture(scope='module')
def captioner(world, tmp_path_factory):
    report, _ = lgd_mm.export(world.captions / 'student.safetensors', ['onnx', 'safetensors'],
                              tmp_path_factory.mktemp('exports') / 'captions')
    return report


@pytest.fixture(scope='module')
def answerer(world, tmp_path_factory):
    report, = lgd_mm.export(world.answers / 'student.safetensors', 'onnx',
                            tmp_path_factory.mktemp('exports') / 'answers')
    return report


def alone(folder, *code):
    """What a program prints that has no torch, in a folder."""
    done = subprocess.run([sys.executable, '-c', '\n'.join([ALONE, *code])], cwd=folder, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout


def blocks_of(report):
    """The code of a card."""
    return re.findall(r'```python\n(.*?)```', (report.folder / 'README.md').read_text(), re.DOTALL)


def test_captions_of_the_card_are_those_of_the_student(world, captioner):
    wanted = lgd_mm.caption(world.captions / 'student.safetensors', world.images, world.run)
    code = blocks_of(captioner)[0]
    assert code == captioner.usage + '\n'
    printed = []
    for name in NAMES:  # one program: its start takes a second
        printed.append(code.replace('regions.npz', write_regions(captioner, world.folder / 'regions', name).name))
    assert alone(captioner.folder, *printed).splitlines() == wanted.captions


def test_answers_of_the_card_are_those_of_the_student(world, answerer):
    wanted = lgd_mm.ask(world.answers, world.images / NAMES[1], [*QUESTIONS, 'is it?'], world.run, top=2)
    write_regions(answerer, world.folder / 'regions', NAMES[1]).rename(answerer.folder / 'regions.npz')
    code = (f'import runpy; sys.argv = ["predict.py", "regions.npz", *{QUESTIONS!r}]',
            'runpy.run_path("predict.py", run_name="__main__")')
    first, *lines = alone(answerer.folder, blocks_of(answerer)[0], *code).splitlines()
    assert first.startswith(f'[({wanted.best[0][3][0][0]!r}, ')
    best = [f'{question} {answer} {chance:.1%}' for question, pairs in zip(QUESTIONS, wanted.best[0])
            for answer, chance in pairs]
    assert len(lines) == 9 and [line for index, line in enumerate(lines) if index % 3 < 2] == best


def run_predict(monkeypatch, capsys, report, *words):
    """The exit code of predict.py, in this process, and its last line on standard error."""
    monkeypatch.setattr(sys, 'argv', ['predict.py', *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(report.folder / 'predict.py'), run_name='__main__')
    out, err = capsys.readouterr()
    return ended.value.code, (err or out).splitlines()[-1]


def test_mistakes_are_one_sentence(world, captioner, answerer, tmp_path, monkeypatch, capsys):
    """As of every command: with exit code 2 and without a traceback."""
    def told(report, *words):
        code, line = run_predict(monkeypatch, capsys, report, *words)
        assert code == 2 and line.startswith('error: ')
        return line

    def regions(name, **changed):
        np.savez(tmp_path / name, **{**whole, **changed})
        return tmp_path / name

    file = write_regions(answerer, world.folder / 'regions', NAMES[1])
    with np.load(file) as opened:
        whole = dict(opened)
    assert run_predict(monkeypatch, capsys, captioner, '--help')[0] == 0
    assert run_predict(monkeypatch, capsys, captioner)[0] == 2
    assert 'is_there.npz does not exist: write it' in told(captioner, 'is_there.npz')
    (tmp_path / 'text.npz').write_text('boxes')
    np.save(tmp_path / 'one.npy', np.zeros(3))
    np.savez(tmp_path / 'objects.npz', **{**whole, 'tags': np.array([{}], object)})
    for name in ('text.npz', 'one.npy', 'objects.npz', '.'):
        assert 'is no .npz file of numbers and names' in told(captioner, tmp_path / name)
    np.savez(tmp_path / 'few.npz', boxes=whole['boxes'], tags=whole['tags'])
    assert 'few.npz has no features, size: write it' in told(captioner, tmp_path / 'few.npz')
    assert 'writes captions, and answers no questions: give regions alone' in told(captioner, file, 'is it?')
    assert 'answers questions: ask one, such as' in told(answerer, file)
    count = len(whole['features'])
    wide = regions('wide.npz', features=np.zeros((count, 25)))
    assert f'features of the regions are ({count}, 25), and must be ({count}, 24): give' in told(captioner, wide)
    assert f'features of the regions are ({count}, 24), and must be (1, 24)' in told(
        captioner, regions('boxes.npz', boxes=np.zeros((1, 4))))
    assert 'boxes of the regions are (), and must be (0, 4)' in told(captioner, regions('one.npz', boxes=0))
    assert "tag '5' of the regions" in told(captioner, regions('number.npz', tags=5))
    assert 'features of the regions are not finite' in told(
        captioner, regions('nan.npz', features=np.full((count, 24), np.nan)))
    assert 'size of the regions is [0, 5]' in told(captioner, regions('size.npz', size=[0, 5]))
    assert "tag 'cat' of the regions is no class of the detector" in told(
        captioner, regions('tags.npz', tags=np.array(['nut', 'cat'])))
    assert 'the question is empty' in told(answerer, file, 'is it', ' ')
    assert "knows no word of the question 'Who sleeps?': ask in the words" in told(answerer, file, 'Who sleeps?')
    long = 'is it the nut left of the nut left of it'
    assert 'has 11 word pieces, and the student reads 8: shorten it' in told(answerer, file, long)


@torch.no_grad()
@pytest.mark.parametrize('task', ['captions', 'answers'])
def test_the_graph_computes_what_the_student_does(world, captioner, answerer, task):
    """For any number of texts; words see their past alone."""
    report = captioner if task == 'captions' else answerer
    student = load_student(getattr(world, task) / 'student.safetensors')
    session = opened(report.folder / 'student.onnx')
    for size in (1, 5):
        inputs = sample_inputs(student, size)
        found = run(session, inputs)
        hidden = student.model.encode(inputs).hidden
        logits = student.model.task.words(hidden[:, :8]) if task == 'captions' else student.model.task.answers(hidden)
        assert found['hidden'].shape == hidden.shape and found['logits'].shape == logits.shape
        torch.testing.assert_close(found['hidden'], hidden, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(found['logits'], logits, atol=1e-3, rtol=1e-3)
    if task == 'captions':
        later = {key: value.clone() for key, value in inputs.items()}
        later['text'][:, 5:] = 7
        assert torch.equal(run(session, later)['logits'][:, :5], found['logits'][:, :5])
    assert [each.shape[0] for each in session.get_inputs()] == ['batch'] * 4
    assert Step(student).captions is (task == 'captions')


def test_the_card_says_what_the_student_is(world, captioner, answerer):
    text = (captioner.folder / 'README.md').read_text()
    front = yaml.safe_load(text.split('---')[1])
    assert front['pipeline_tag'] == 'image-to-text' and 'onnx' in front['tags']
    student = load_student(world.captions / 'student.safetensors')
    assert f'`{student.trained_on.regions.detector.weights}`' in text and 'nut, bolt, washer' in text
    assert '| `valid` | bool (B, 19) |' in text and '| `logits` | float32 (B, 8, 21) |' in text
    assert (captioner.folder / 'vocab.txt').read_text().splitlines() == WORDS
    assert (answerer.folder / 'answers.txt').read_text().splitlines() == ANSWERS
    assert 'answers | 4: yes, no, =2, red' in (answerer.folder / 'README.md').read_text()
    assert [file.name for file in captioner.files] == [
        'README.md', 'network.json', 'predict.py', 'student.onnx', 'vocab.txt']
    assert str(captioner).startswith(f'onnx: {captioner.folder}: README.md, ')


def test_safetensors_are_a_student_as_its_training_wrote_it(world, captioner):
    """Without the paths of the machine that it was trained on."""
    folder = captioner.folder.parent / 'safetensors'
    wanted = lgd_mm.caption(world.captions / 'student.safetensors', world.images, world.run)
    assert lgd_mm.caption(folder / 'student.safetensors', world.images, world.run) == wanted
    assert str(world.folder).encode() not in (folder / 'student.safetensors').read_bytes()
    assert 'lgd-mm caption student.safetensors IMAGES --detector DETECTOR' in (folder / 'README.md').read_text()
    report, = lgd_mm.export(world.captions, 'safetensors', folder.parent / 'of_the_folder')
    trained = load_student(world.captions / 'epoch_1.pth').model.state_dict()
    found = load_student(report.folder / 'student.safetensors')
    assert all(torch.equal(value, found.model.state_dict()[key]) for key, value in trained.items())
    assert found.iteration == 2


def test_what_cannot_be_exported_is_told(world, tmp_path):
    file = world.captions / 'student.safetensors'
    with pytest.raises(UserError, match='timm takes no students of vision and language, such as .*: give onnx or'):
        lgd_mm.export(file, 'timm', tmp_path / 'x')
    with pytest.raises(UserError, match='--int8 is not for students of vision and language'):
        lgd_mm.export(file, 'onnx', tmp_path / 'x', int8=True)
    pretrained = student_of(write_captioner(world.folder, world.folder / 'regions', 'pretraining', 'VLPretraining'),
                            tmp_path / 'student.safetensors')[1]
    with pytest.raises(UserError, match='was pre-trained alone, and onnx takes what writes captions'):
        lgd_mm.export(pretrained, 'onnx', tmp_path / 'x')
    assert not (tmp_path / 'x').exists()
