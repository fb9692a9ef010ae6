"""--watch: what it makes of a folder, and what it says."""

import math
import shutil

import pytest
from mmengine.config import Config

import lgd_mm
from lgd_mm.api.configs import ready_config
from lgd_mm.api.watch import Watch
from lgd_mm.api.watching import use_watch
from lgd_mm.errors import UserError
from lgd_mm.runs.history import read_history
from lgd_mm.watching import WatchedImages
from tests.own_sets import write_image
from tests.speed import with_reports

NAMES = ['circle', 'square', 'star']
ALL = ['lgd_mm.ZeroShotAccuracy', 'lgd_mm.NeighbourAccuracy', 'lgd_mm.RankMe']


def settled(folder, names=NAMES, learned='images', **given):
    cfg = Config.fromfile(ready_config('lgd/r18_pretrain.py'))
    cfg.train_dataloader.dataset.data_root = str(learned)
    watch = Watch(folder, **given)
    watch.check()
    use_watch(cfg, watch, names, 64, 0)
    return cfg


def test_all_that_is_asked_for(held_out, capsys):
    cfg = settled(held_out, every=3, keep_best=True, patience=4)
    assert [each.type for each in cfg.val_evaluator] == ALL
    assert cfg.train_cfg.val_interval == 3 and cfg.train_cfg.max_epochs == 200
    assert cfg.default_hooks.checkpoint.save_best == 'zero-shot/top1'
    assert cfg.default_hooks.checkpoint.max_keep_ckpts == 3
    assert cfg.custom_hooks[-1].patience == 4 and cfg.custom_hooks[-1].monitor == 'zero-shot/top1'
    resize, crop = cfg.val_dataloader.dataset.pipeline[1:3]
    assert (resize.scale, crop.crop_size, cfg.val_dataloader.num_workers) == (73, 64, 0)
    said = capsys.readouterr().out.splitlines()
    assert said == ['watch: zero-shot/top1, knn/top1, embedding/rankme of 12 images every 3 epochs',
                    'watch: 12 images are few: 11 neighbours vote in knn/top1 in place of 20']


def test_parts_of_a_labelled_set(held_out, tmp_path):
    """Of {train,val}/CLASS, the images that are held out."""
    for part in ('train', 'val'):
        shutil.copytree(held_out, tmp_path / part)
    assert settled(tmp_path).val_dataloader.dataset.data_root == str(tmp_path / 'val')
    shutil.rmtree(tmp_path / 'val')
    with pytest.raises(UserError, match='has images to train with alone, in train: give some that are held out'):
        settled(tmp_path)


def test_images_that_it_learns_from(held_out, tmp_path):
    """A figure of these chooses what has learnt them by heart."""
    shutil.copytree(held_out, tmp_path / 'images' / 'val')
    for folder in (tmp_path / 'images', tmp_path / 'images' / 'val', tmp_path):
        with pytest.raises(UserError, match=f'watch: .* has images that the student learns from, of {tmp_path}/images'):
            settled(folder, learned=tmp_path / 'images')
    assert settled(tmp_path / 'images', learned=tmp_path / 'images_of_others').val_dataloader


def test_a_class_that_is_called_train(held_out, tmp_path):
    shutil.copytree(held_out / 'circle', tmp_path / 'train')
    shutil.copytree(held_out / 'square', tmp_path / 'bus')
    cfg = settled(tmp_path, ['bus', 'train'])
    assert cfg.val_dataloader.dataset.data_root == str(tmp_path) and len(cfg.val_evaluator) == 3


@pytest.mark.parametrize('folders, names, figures, said', [
    (['circle', 'square'], ['cat', 'dog'], ALL[1:],
     '; not zero-shot/top1: no category of the run is called circle, square, as class folders are'),
    (['circle', 'square'], [], ALL[1:], '; not zero-shot/top1: the method learns no names'),
    (['circle'], NAMES, [ALL[0], ALL[2]], '; not knn/top1: there is one class alone, circle'),
    ([''], NAMES, ALL[2:],
     '; not zero-shot/top1: there are no class folders; not knn/top1: there are no class folders')])
def test_what_cannot_be_measured_is_said(tmp_path, capsys, folders, names, figures, said):
    for name in folders:
        for index in range(30):
            write_image(tmp_path / name / f'{index}.png', index)
    cfg = settled(tmp_path, names, keep_best=True)
    assert [each.type for each in cfg.val_evaluator] == figures
    line, = capsys.readouterr().out.splitlines()
    assert line.endswith(f' of {30 * len(folders)} images every epoch{said}')
    best = {ALL[0]: 'zero-shot/top1', ALL[1]: 'knn/top1', ALL[2]: 'embedding/rankme'}[figures[0]]
    assert cfg.default_hooks.checkpoint.save_best == best


@pytest.mark.parametrize('given, said', [
    (dict(every=0), 'watch_every is 0: it must be a whole number of at least 1'),
    (dict(patience=0), 'patience is 0: it must be'),
    (dict(folder=None, every=2), 'watch_every is about the images of watch, which are not given'),
    (dict(folder=None, keep_best=True), 'keep_best is about the images of watch'),
    (dict(folder='nowhere'), 'watch: nowhere does not exist')])
def test_mistakes(held_out, given, said):
    with pytest.raises(UserError, match=said):
        settled(**(dict(folder=held_out) | given))


@pytest.mark.parametrize('count', [0, 1])
def test_too_few_images(tmp_path, count):
    for index in range(count):
        write_image(tmp_path / f'{index}.png', index)
    (tmp_path / 'notes.txt').write_text('no image')
    said = f'{tmp_path} holds {count or "no"} image, and a pre-training is watched on several: put more into it'
    with pytest.raises(UserError, match=said):
        settled(tmp_path)
    with pytest.raises(UserError, match=said):
        WatchedImages(str(tmp_path), pipeline=[])


def test_an_empty_class_is_none(held_out, tmp_path):
    shutil.copytree(held_out, tmp_path / 'set')
    (tmp_path / 'set' / 'cat').mkdir()
    assert [each.type for each in settled(tmp_path / 'set').val_evaluator] == ALL
    assert WatchedImages(str(tmp_path / 'set'), pipeline=[]).labelled == ['circle', 'square']


@pytest.mark.parametrize('labelled', [True, False])
def test_through_the_front_door(held_out, tmp_path, monkeypatch, labelled):
    """Odd images among them, and the report with the teacher's own figures."""
    with_reports(monkeypatch)
    images, watch = tmp_path / 'images', tmp_path / 'watch'
    for index in range(16):
        write_image(images / f'{index}.png', index)
    if labelled:
        shutil.copytree(held_out, watch)
        write_image(watch / 'circle' / 'tiny.png', 3, size=41)
    else:
        shutil.copytree(held_out / 'circle', watch)
    run = lgd_mm.pretrain(images=images, classes=NAMES, teacher='shapes', epochs=2, batch_size=8, workers=0, amp='off',
                          templates=['a {}.'], recipe='published', out=tmp_path / 'run', watch=watch, keep_best=True,
                          options={'model.backbone.stem_channels': 8, 'model.backbone.base_channels': 8})
    looks = read_history(run.out).evaluations
    assert [record['step'] for record in looks] == [1, 2]
    assert all(1 <= record['embedding/rankme'] <= 13 and math.isfinite(record['seconds']) for record in looks)
    assert ('knn/top1' in looks[0]) == ('zero-shot/top1' in looks[0]) == labelled
    page = (run.out / 'report.html').read_text()
    assert '<dt>watched</dt><dd>2 times, ' in page and 'Not available: the teacher' not in page
    assert '<figcaption>embedding/rankme</figcaption>' in page and 'effective rank' in page
    assert page.count(', teacher ') == (3 if labelled else 1)
    assert len(list(run.out.glob('best_*.pth'))) == 1
