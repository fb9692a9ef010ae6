"""What a student's file says is data: known names, types and sizes, or a sentence."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import lgd_mm
from lgd_mm.datasets.regions.about import MOST, WIDTH
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.vision_language import about
from lgd_mm.vision_language.student import load_student
from tests.test_cli.test_commands import told
from tests.test_vision_language.conftest import write_captioner
from tests.test_vision_language.test_detector import student_of


def changed(file, source, content=(), **metadata):
    """A student's file with other metadata, None for none, and other tensors."""
    with safe_open(source, 'pt') as opened:
        said, state = opened.metadata(), {key: opened.get_tensor(key) for key in opened.keys()}
    said = {key: value for key, value in {**said, **metadata}.items() if value is not None}
    save_file({**state, **dict(content)}, file, said)
    return file


def with_key(said, path, value):
    """Some JSON with another value somewhere."""
    content = json.loads(said)
    *parents, last = path.split('.')
    node = content
    for name in parents:
        node = node[name]
    node[last] = value
    return json.dumps(content)


@pytest.fixture(scope='module')
def said(world):
    with safe_open(world.captions / 'student.safetensors', 'pt') as opened:
        return opened.metadata()


@pytest.mark.parametrize('key, path, value, sentence', [
    ('model', 'type', 'os.system', "model.type is 'os.system', and must be 'lgd_mm.VisionLanguageModel'"),
    ('model', 'task.type', 'mmdet.FasterRCNN', "model.task.type is 'mmdet.FasterRCNN', and must be 'lgd_mm.VLCapt"),
    ('model', 'task.evil', 1, "model.task has the key 'evil'; there are: type, longest"),
    ('model', 'init_cfg', dict(type='Pretrained'), "model has the key 'init_cfg'"),
    ('model', 'transformer.depth', 10**9, 'model.transformer depth is 1000000000, and must be a whole number from 1'),
    ('model', 'transformer.depth', '2', "model.transformer.depth is '2', and must be a whole number"),
    ('model', 'transformer.dropout', 1, 'dropout is 1'),
    ('model', 'transformer', [2], r'model.transformer is \[2\], and must be an object'),
    ('model', 'transformer.region_width', 64, 'for regions of 64 numbers, and was trained on features of 24 with 6'),
    ('model', 'transformer.heads', 3, 'model.transformer heads is 3, which does not divide width, 16'),
    ('model', 'task.longest', 0, 'longest is 0'),
    ('model', 'task.beams', 10**6, 'beams is 1000000'),
    ('trained_on', 'lengths', [8, 5], r'lengths is \[8, 5\], and must be three whole numbers'),
    ('trained_on', 'lengths', [8, 5, 10**7], 'at most 4096'),
    ('trained_on', 'lengths', [16, 5, 6], 'has 20 positions, and texts and tags of 21'),
    ('trained_on', 'regions.grid', 3, 'grid is 3, and most 50'),
    ('trained_on', 'regions.most', 10**6, 'most is 1000000'),
    ('trained_on', 'regions.tags', ['x' * 2000], 'tags has more than'),
    ('trained_on', 'regions.tags', [1], r'trained_on.regions.tags\[0\] is 1, and must be a string'),
    ('trained_on', 'regions.detector', dict(config='x'), 'trained_on.regions.detector has no weights'),
])
def test_what_no_training_writes_is_refused(world, said, tmp_path, key, path, value, sentence):
    file = changed(tmp_path / 'student.safetensors', world.captions / 'student.safetensors',
                   **{key: with_key(said[key], path, value)})
    with pytest.raises(UserError, match=sentence) as error:
        lgd_mm.caption(file, world.images, world.run)
    assert str(file) in str(error.value)


@pytest.mark.parametrize('metadata, sentence', [
    (dict(kind='other'), 'holds no model of vision and language'), (dict(model=None), 'does not say which model'),
    (dict(model='{'), 'is no valid JSON'), (dict(trained_on=None), 'does not say which regions it was trained on'),
    (dict(trained_on='[1]'), r'trained_on is \[1\], and must be')])
def test_what_says_too_little_is_refused(world, tmp_path, metadata, sentence):
    file = changed(tmp_path / 'student.safetensors', world.captions / 'student.safetensors', **metadata)
    with pytest.raises(UserError, match=sentence):
        lgd_mm.caption(file, world.images, world.run)


@pytest.mark.parametrize('content, sentence', [
    ({'vocabulary.content': torch.tensor([255, 10], dtype=torch.uint8)}, 'no vocabulary.content that can be read'),
    ({'vocabulary.content': torch.zeros(9)}, r'no vocabulary.content that can be read \(it is no text\)'),
    ({'vocabulary.content': torch.tensor(list(b'a\nb'), dtype=torch.uint8)}, r'has no \[PAD\]'),
    ({'transformer.norm.bias': torch.full((16, ), float('nan'))}, 'NaN or infinite'),
    ({'transformer.norm.bias': torch.zeros(17)}, 'of another model'),
    ({'evil': torch.zeros(1)}, 'of another model')])
def test_weights_that_do_not_fit_are_refused(world, tmp_path, content, sentence):
    file = changed(tmp_path / 'student.safetensors', world.captions / 'student.safetensors', content)
    with pytest.raises(UserError, match=sentence):
        load_student(file)


def test_no_network_is_built_that_is_far_larger_than_the_file(world, said, tmp_path):
    larger = json.loads(said['model'])
    larger['transformer'] |= dict(width=2**13, depth=256, heads=1)
    file = changed(tmp_path / 'student.safetensors', world.captions / 'student.safetensors', model=json.dumps(larger))
    with pytest.raises(UserError, match='describes a network far larger than the'):
        load_student(file)


def test_a_checkpoint_is_data_as_well(world, tmp_path):
    content = load_checkpoint_file(world.captions / 'epoch_1.pth')
    config = content['meta']['cfg']
    for old, new, sentence in (("type='lgd_mm.VLCaptioning'", "type='os.system'", "task.type is 'os.system'"),
                               ("type='lgd_mm.DistillVLM'", "type='os.system'", "model has the key 'queue_length'"),
                               ('\nmodel=dict(', '\nmodl=dict(', 'model is None, and must be an object')):
        assert old in config
        content['meta']['cfg'] = config.replace(old, new)
        torch.save(content, tmp_path / 'epoch_1.pth')
        with pytest.raises(UserError, match=sentence):
            lgd_mm.caption(tmp_path / 'epoch_1.pth', world.images, world.run)
    torch.save(dict(meta={}, state_dict={}), tmp_path / 'epoch_1.pth')
    with pytest.raises(UserError, match='holds no model of vision and language'):
        lgd_mm.caption(tmp_path / 'epoch_1.pth', world.images, world.run)


def test_what_a_student_does_is_told_before_torch_is_imported(world, tmp_path, monkeypatch, capsys):
    """Also from the folder of its training."""
    pretrained = student_of(write_captioner(world.folder, world.folder / 'regions', 'pretraining', 'VLPretraining'),
                            tmp_path / 'student.safetensors')[1]
    photo = world.images / '000000000000.png'
    monkeypatch.setattr('lgd_mm.vision_language.student.load_checkpoint_file', None)
    for words, sentence in (
            (('caption', world.answers, photo), 'answers questions, and writes no captions: ask it by `lgd-mm ask`'),
            (('ask', world.captions, photo, 'is it'), 'writes captions, and answers no questions: ask it by `lgd-mm'),
            (('ask', pretrained, photo, 'is it'), 'was pre-trained alone, and answers no questions: fine-tune it by a'),
            (('caption', pretrained, photo), 'and writes no captions: fine-tune it by a config such as')):
        assert sentence in told(monkeypatch, capsys, *words)
    monkeypatch.undo()
    with pytest.raises(UserError, match='answers questions, and writes no captions'):
        lgd_mm.caption(world.answers / 'epoch_1.pth', photo, world.run)


def test_bounds_are_those_of_stores():
    """Written down again, so that nothing is imported."""
    assert about.REGIONS == MOST and about.SIZES['region_width'] == WIDTH + 6
