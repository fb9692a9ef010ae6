"""The two commands as a user types them."""

import json
import runpy
import sys

import pytest

from lgd_mm.errors import reported
from tests.test_preparation.test_voc import voc
from tests.test_preparation.trees import coco_tree, mask, write_tree
from tests.tiny import ROOT, run_tool


@pytest.fixture
def tool(monkeypatch, capsys):
    """Runs one here, without the seconds of a start; returns its exit code, lines and errors."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
        with pytest.raises(SystemExit) as ended, reported():
            sys.exit(runpy.run_path(str(ROOT / 'tools' / name))['main']())
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out.splitlines(), captured.err.splitlines()

    return run


def test_folder(tmp_path, tool):
    """0 when whole, 2 when not; --check writes nothing."""
    write_tree(tmp_path, {f'train/{name}/{index}.png': mask([1]) for name in 'ab' for index in range(12)})
    whole = f'whole: a folder with one sub-folder for each class in {tmp_path}'
    assert tool('prepare_dataset.py', 'folder', tmp_path, '--check')[:2] == (0, [
        *(f'not there yet: meta/train_{share}percent.txt; without --check it is written' for share in (10, 1)), whole])
    assert not (tmp_path / 'meta').exists()
    assert tool('prepare_dataset.py', 'folder', tmp_path)[:2] == (
        0, ['written: meta/train_10percent.txt', 'written: meta/train_1percent.txt', whole])
    (tmp_path / 'train/b/3.png').write_bytes(b'')
    code, lines, _ = tool('prepare_dataset.py', 'folder', tmp_path, '--check')
    assert code == 3 and lines[0].startswith('wrong: train/b/3.png cannot be decoded')


def test_wrong_roots(tmp_path, tool):
    """One sentence and exit code 2, in a process of its own without a traceback."""
    coco_tree(tmp_path)
    code, lines, errors = tool('prepare_dataset.py', 'coco', tmp_path / 'none')
    assert (code, lines, len(errors)) == (2, [], 1) and errors[0].startswith(f'error: {tmp_path}/none is no folder')
    done = run_tool('tools/prepare_dataset.py', 'ade20k', tmp_path)
    assert done.returncode == 2 and 'Traceback' not in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f'error: {tmp_path}/ADEChallengeData2016 holds COCO 2017')


@pytest.mark.real_data
def test_a_sample_of_coco(data_dir, tool):
    """What lacks is counted, and where it comes from is told."""
    code, lines, _ = tool('prepare_dataset.py', 'coco', data_dir / 'coco', '--check')
    assert code == 3 and lines[:2] == ['wrong: train2017 holds 80 images instead of 118,287',
                                       'wrong: val2017 holds 80 images instead of 5,000']
    assert any('http://images.cocodataset.org/zips/train2017.zip' in line for line in lines)


def test_what_vqa_needs(tmp_path, tool):
    """Four archives, and what lies beside: the test's questions are not asked for."""
    (tmp_path / 'vqav2').mkdir()
    code, lines, _ = tool('prepare_dataset.py', 'vqa', tmp_path / 'vqav2')
    assert code == 3 and [line.split()[0] for line in lines if line.startswith('  ')] == [
        f'v2_{kind}_{part}_mscoco.zip' for kind in ('Questions', 'Annotations') for part in ('Train', 'Val')]
    assert [line.split(', ')[0] for line in lines if line.startswith('not there yet')] == [
        f'not there yet: {tmp_path}/{path}'
        for path in ('coco/train2014', 'coco/val2014', 'bert-base-uncased/vocab.txt')]


def test_voc_to_coco(tmp_path, tool):
    """The result is told by file; a fault is one line."""
    voc(tmp_path / 'VOCdevkit/VOC2012')
    code, lines, _ = tool('voc_to_coco.py', tmp_path, tmp_path / 'out')
    assert code == 0 and lines == [
        f'{tmp_path}/out/annotations/{split}.json: {count} images in {tmp_path}/out/{split}'
        for split, count in (('train', 2), ('val', 1))]
    assert len(json.loads((tmp_path / 'out/annotations/val.json').read_text())['annotations']) == 1
    (tmp_path / 'VOCdevkit/VOC2012/JPEGImages/2007_000033.jpg').unlink()
    code, lines, errors = tool('voc_to_coco.py', tmp_path, tmp_path / 'other')
    assert (code, lines, len(errors)) == (2, [], 2) and 'JPEGImages/x.jpg does not exist' in errors[-1]
