"""Predictions go on where they were stopped, one broken file stops none, and mistakes are told."""

import csv
import json
import os
import shutil
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

import lgd_mm
from lgd_mm.api import predicting
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.prediction import network as networks
from lgd_mm.prediction.journal import LINES
from lgd_mm.prediction.network import load_network
from lgd_mm.prediction.predict import _Predicting
from lgd_mm.prediction.sources import Sources
from lgd_mm.prediction.videos import frames


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch):
    """A network of the same file is the same."""
    kept: dict[tuple, networks.Network] = {}

    def load(path, task=None):
        key = str(path), task
        if key not in kept:
            kept[key] = load_network(path, task)
        return kept[key]

    monkeypatch.setattr(predicting, 'load_network', load)
    monkeypatch.setattr(predicting, 'workers', lambda processes: (0, ''))


@pytest.fixture
def photos(tmp_path) -> Path:
    """Images in nested folders, two of which differ in their ending alone, and a video."""
    rng = np.random.default_rng(1)
    for name in ('a.png', 'sub/b.jpg', 'sub/b.png', 'sub/deep/c d#é.jpg', 'z.webp'):
        path = tmp_path / 'photos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (50, 60, 3), np.uint8)).save(path)
    write_clip(tmp_path / 'photos/clip.mp4', 11)
    return tmp_path / 'photos'


def write_clip(path: Path, count: int) -> None:
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 20, (64, 48))
    for index in range(count):
        frame = np.full((48, 64, 3), 60, np.uint8)
        frame[:, 5 * index:5 * index + 9] = (0, 120, 240)
        video.write(frame)
    video.release()


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


@pytest.mark.parametrize('kind', ['detector', 'segmentor', 'classifier'])
def test_going_on_equals_not_stopping(kind, photos, tmp_path, request):
    """After each batch, and with half a line of the next one in the journal."""
    run = request.getfixturevalue(kind)
    settings = dict(batch_size=2, every=3, score=0.2)
    whole = lgd_mm.predict(run, photos, tmp_path / 'whole', **settings)
    assert (whole.images, whole.left_out) == (5 + 4, [])
    predicted, batches = _Predicting._batch, 0

    def stopped(self, batch):
        nonlocal batches
        batches += 1
        if batches % 2 == 0:
            raise KeyboardInterrupt
        return predicted(self, batch)

    with mock.patch.object(_Predicting, '_batch', stopped):
        for _ in range(10):
            try:
                again = lgd_mm.predict(run, photos, tmp_path / 'parts', **settings)
                break
            except KeyboardInterrupt:
                with (tmp_path / 'parts' / LINES).open('a') as file:
                    file.write('{"source": "", "next": 5')
    assert batches >= 8
    assert content(tmp_path / 'parts') == content(tmp_path / 'whole')
    with mock.patch.object(_Predicting, '_batch', None):  # nothing is left to do
        assert lgd_mm.predict(run, photos, tmp_path / 'parts', **settings) == again
    assert (again.images, again.task) == (whole.images, whole.task)
    with pytest.raises(UserError, match=r'parts holds predictions of another command \(score\): give another folder'):
        lgd_mm.predict(run, photos, tmp_path / 'parts', **{**settings, 'score': 0.5})


def test_files(detector, photos, tmp_path):
    """Names are those of the images; frames tell their time."""
    out = tmp_path / 'out'
    lgd_mm.predict(detector, photos, out, every=5)
    drawn = ['drawn/a.jpg', 'drawn/clip.mp4/000000.jpg', 'drawn/clip.mp4/000005.jpg', 'drawn/clip.mp4/000010.jpg',
             'drawn/clip.mp4/drawn.mp4', 'drawn/sub/b.jpg.jpg', 'drawn/sub/b.png.jpg', 'drawn/sub/deep/c d#é.jpg',
             'drawn/z.jpg']
    assert sorted(content(out)) == [*drawn, 'images.json', 'index.html', 'predict.json', 'predictions.json']
    images = json.loads((out / 'images.json').read_text())['images']
    assert images[0] == dict(id=1, file_name='a.png', width=60, height=50)
    assert images[-1] == dict(id=8, file_name='clip.mp4/000010', width=64, height=48, video='clip.mp4', frame=10,
                              seconds=0.5)
    video = cv2.VideoCapture(str(out / 'drawn/clip.mp4/drawn.mp4'))
    assert (video.get(cv2.CAP_PROP_FRAME_COUNT), video.get(cv2.CAP_PROP_FPS)) == (3, 4)
    page = (out / 'index.html').read_text()
    assert 'src="drawn/sub/deep/c%20d%23%C3%A9.jpg"' in page and 'clip.mp4, 0.50 s' in page
    lgd_mm.predict(detector, photos, tmp_path / 'plain', every=5, drawing=False)
    assert sorted(content(tmp_path / 'plain')) == ['images.json', 'predict.json', 'predictions.json']
    assert (tmp_path / 'plain/predictions.json').read_bytes() == (out / 'predictions.json').read_bytes()


def test_neighbours_change_nothing(detector, photos, tmp_path):
    """Images of other sizes in the batch."""
    cv2.imwrite(str(photos / 'tall.png'), np.zeros((200, 30, 3), np.uint8))
    results = []
    for size in (1, 8):
        found = lgd_mm.predict(detector, photos, tmp_path / str(size), batch_size=size, drawing=False)
        results.append(json.loads(found.file.read_text()))
    assert len(results[0]) == len(results[1])
    for one, other in zip(*results):
        assert one['bbox'] == pytest.approx(other['bbox'], abs=1e-3)


def test_images_are_turned_as_in_training(segmentor, tmp_path):
    rng = np.random.default_rng(0)
    upright = Image.fromarray(cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (80, 60)))
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / 'photos').mkdir()
    upright.save(tmp_path / 'photos/upright.png')
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / 'photos/turned.png', exif=exif)
    lgd_mm.predict(segmentor, tmp_path / 'photos', tmp_path / 'out')
    masks = [np.asarray(Image.open(tmp_path / f'out/masks/{name}.png')) for name in ('upright', 'turned')]
    assert masks[0].shape == (60, 80) and np.array_equal(*masks)
    assert Image.open(tmp_path / 'out/drawn/turned.jpg').size == (320, 240)


@pytest.mark.parametrize('mode', ['1', 'L', 'P', 'RGBA', 'CMYK', 'I;16'])
def test_any_kind_of_image(mode, classifier, tmp_path):
    image = Image.new('RGB', (9, 7), (200, 30, 30))
    image = Image.fromarray(np.full((7, 9), 40000, np.uint16)) if mode == 'I;16' else image.convert(mode)
    image.save(tmp_path / 'a.tif')
    assert lgd_mm.predict(classifier, tmp_path / 'a.tif', tmp_path / 'out').images == 1


def test_broken_files_are_named_and_others_go_on(classifier, photos, tmp_path):
    whole = (photos / 'sub/b.jpg').read_bytes()
    (photos / 'half.jpg').write_bytes(whole[:len(whole) // 2])
    (photos / 'text.png').write_text('no image')
    (photos / 'gone.png').symlink_to('nowhere')
    (photos / 'text.mp4').write_text('#EXTM3U\nhttp://localhost/x.mp4')
    clip = (photos / 'clip.mp4').read_bytes()
    (photos / 'half.mp4').write_bytes(clip[:len(clip) // 2])
    found = lgd_mm.predict(classifier, photos, tmp_path / 'out')
    assert found.images == 5 + 11
    reasons = {Path(line.partition(': ')[0]).name: line.partition(': ')[2] for line in found.left_out}
    assert sorted(reasons) == ['gone.png', 'half.jpg', 'half.mp4', 'text.mp4', 'text.png']
    assert reasons['text.mp4'] == 'it is no video in MPEG-4, AVI, Matroska or WebM'
    assert reasons['half.mp4'] == 'it is damaged, or in a format that OpenCV does not know'
    assert reasons['gone.png'] == 'No such file or directory'
    assert lgd_mm.predict(classifier, photos, tmp_path / 'out') == found


def test_sizes_that_no_pipeline_takes_are_named(detector, tmp_path):
    images = tmp_path / 'images'
    images.mkdir()
    for name, size in (('a.png', (4000, 1)), ('b.png', (60, 50)), ('c.png', (1, 1))):
        Image.new('RGB', size, (200, 30, 30)).save(images / name)
    (images / 'd.jpg').write_bytes(b'\xff\xd8\xff no image')
    found = lgd_mm.predict(detector, images, tmp_path / 'out')
    assert found.images == 2
    assert 'a.png: the pipeline of the network cannot prepare its 4000 x 1 pixels: ' in found.left_out[0]
    assert found.left_out[1].endswith('d.jpg: cannot identify image file')  # and no address of this time's memory


def test_names_that_are_no_text(classifier, photos, tmp_path):
    """OpenCV would end the process."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b'/\xff'))
    folder.mkdir()
    shutil.copy(photos / 'clip.mp4', folder / os.fsdecode(b'\xfe.mp4'))
    out = folder / os.fsdecode(b'\xfd')
    found = lgd_mm.predict(classifier, [folder / os.fsdecode(b'\xfe.mp4')], out, every=5)
    assert (found.images, found.left_out) == (3, [])
    drawn, = out.rglob('drawn.mp4')
    shutil.copy(drawn, tmp_path / 'drawn.mp4')
    assert len(list(frames(str(tmp_path / 'drawn.mp4')))) == 3


def test_no_two_images_share_a_file():
    names = ['a.jpg', 'a.jpg.jpg', 'a.png', 'b.png', 'c/b.png']
    assert Sources('', names, []).stems() == {
        'a.jpg': 'a.jpg', 'a.jpg.jpg': 'a.jpg.jpg', 'a.png': 'a.png', 'b.png': 'b', 'c/b.png': 'c/b'}


def test_what_somebody_else_wrote_is_not_gone_on_with(classifier, photos, tmp_path):
    out, other = tmp_path / 'out', tmp_path / 'other.txt'
    whole = lgd_mm.predict(classifier, photos, out)
    before = content(out)
    whole.file.unlink()
    assert lgd_mm.predict(classifier, photos, out) == whole and content(out) == before
    other.write_text('kept')
    request = json.loads((out / 'predict.json').read_text())
    (out / 'predict.json').write_text(json.dumps(dict(request, done=dict(images='all'))))
    (out / '.unfinished.jsonl').write_text(json.dumps(dict(source='clip.mp4', next=11, ended=True, items=[
        dict(name='../../other', video='../..')])) + '\n')
    for name in ('.part.jpg', '.part.mp4'):
        (out / name).symlink_to(other)
    assert lgd_mm.predict(classifier, photos, out) == whole
    assert content(out) == before and other.read_text() == 'kept'


def test_another_image_of_the_same_size_is_another(classifier, tmp_path):
    for colour in ('red', 'blue'):
        Image.new('RGB', (20, 10), colour).save(tmp_path / 'a.bmp')
        if colour == 'red':
            lgd_mm.predict(classifier, tmp_path / 'a.bmp', tmp_path / 'out')
    with pytest.raises(UserError, match='holds predictions of another command .images.'):
        lgd_mm.predict(classifier, tmp_path / 'a.bmp', tmp_path / 'out')


def test_nothing_is_left_of_nothing(classifier, tmp_path):
    (tmp_path / 'text.png').write_text('no image')
    with pytest.raises(UserError, match='none of 1 images and 0 videos can be read: .*text.png'):
        lgd_mm.predict(classifier, tmp_path / 'text.png', tmp_path / 'out')
    assert not (tmp_path / 'out').exists() or not any((tmp_path / 'out').iterdir())


def test_mistakes(detector, classifier, segmentor, coco_set, photos, tmp_path):
    out = tmp_path / 'out'
    for run, task, said in ((detector, 'segmentation', 'does instance-segmentation, not segmentation: give a network'),
                            (classifier, 'detection', 'does classification, not detection'),
                            (tmp_path, None, 'holds no trained network: give the folder of a run'),
                            (tmp_path / 'no.pth', None, 'no.pth')):
        with pytest.raises(UserError, match=said):
            lgd_mm.predict(run, photos, out, task=task)
    for images, given, said in (
            (tmp_path / 'gone', {}, 'images: .*gone does not exist'), ([], {}, 'images is empty'),
            (coco_set / 'annotations', {}, 'holds no image'), (photos, dict(score=2), 'score is 2'),
            (photos, dict(ids=coco_set / 'annotations/val.json'), 'clip.mp4 is a video'),
            (photos / 'a.png', dict(ids=coco_set / 'annotations/val.json'), 'names a.png 0 times'),
            (photos / 'a.png', dict(ids=coco_set / 'gone.json'), 'gone.json cannot be read')):
        with pytest.raises(UserError, match=said):
            lgd_mm.predict(detector, images, out, **given)
    with pytest.raises(UserError, match='ids are of images in COCO format, and .* does classification'):
        lgd_mm.predict(classifier, photos, out, ids=coco_set / 'annotations/val.json')
    with pytest.raises(UserError, match='lies in .*photos, whose images are read'):
        lgd_mm.predict(detector, photos, photos / 'out')
    assert not out.exists()
    with pytest.raises(UserError, match='photos is not empty and holds no predictions of lgd-mm'):
        lgd_mm.predict(detector, photos / 'a.png', photos)


def test_checkpoints_that_say_too_little(detector, photos, tmp_path):
    checkpoint = load_checkpoint_file(detector / 'epoch_1.pth')
    meta, file = checkpoint['meta'], tmp_path / 'other.pth'
    for changed, said in (
            ({}, 'does not say of which network it is'),
            (dict(meta, dataset_meta={}), 'does not name its classes'),
            (dict(meta, dataset_meta=dict(classes=['a'])), 'names 1 classes .* tells 3 apart'),
            (dict(meta, cfg=meta['cfg'].replace("type='MaskRCNN'", "type='os.system'")), 'not in the list')):
        torch.save(dict(checkpoint, meta=changed), file)
        with pytest.raises(UserError, match=said):
            load_network(file)


def test_a_checkpoint_of_any_writer(classifier, tmp_path):
    """What data parallel training puts before all keys is taken off, and counts of batches are no weights."""
    checkpoint, file = load_checkpoint_file(classifier / 'epoch_1.pth'), tmp_path / 'other.pth'
    state = {f'module.{key}': value for key, value in checkpoint['state_dict'].items()
             if not key.endswith('num_batches_tracked')}
    torch.save(dict(checkpoint, state_dict=state), file)
    found = load_network(file).model.state_dict()
    assert all(torch.equal(found[key.removeprefix('module.')].cpu(), value) for key, value in state.items())


@pytest.mark.parametrize('kind', ['classifier', 'segmentor'])
def test_names_of_classes_that_are_no_line(kind, photos, tmp_path, request):
    """A checkpoint from outside may call its classes anything, and have names to spare."""
    checkpoint = load_checkpoint_file(request.getfixturevalue(kind) / 'epoch_1.pth')
    names = ['<script>\n2', '=cmd()\t3', 'half \ud800', 'd', 'e', 'f']
    torch.save(dict(checkpoint, meta=dict(checkpoint['meta'], dataset_meta=dict(classes=names))), tmp_path / 'own.pth')
    found = lgd_mm.predict(tmp_path / 'own.pth', photos / 'a.png', tmp_path / 'out')
    if kind == 'segmentor':
        lines = (tmp_path / 'out' / 'classes.txt').read_text().splitlines()
        assert lines[:3] == ['<script>\\n2', '=cmd()\\t3', 'half \ufffd']
    else:
        rows = list(csv.DictReader(found.file.read_text().splitlines()))
        assert {row['name'] for row in rows} == {'<script>\\n2', "'=cmd()\\t3", 'half \ufffd'}
    assert '<script>' not in found.page.read_text().partition('<body')[2]


def test_a_frame_names_its_classes_in_own_colours(detector, photos, tmp_path):
    """The colours of the checkpoint where they fit, else those of own sets."""
    checkpoint = load_checkpoint_file(detector / 'epoch_1.pth')
    assert load_network(detector).colours.tolist() == [list(c) for c in checkpoint['meta']['dataset_meta']['palette']]
    checkpoint['meta']['dataset_meta']['palette'] = 'random'
    shutil.copytree(detector, tmp_path / 'run')
    torch.save(checkpoint, tmp_path / 'run/epoch_1.pth')
    assert load_network(tmp_path / 'run/epoch_1.pth').colours.shape == (3, 3)
