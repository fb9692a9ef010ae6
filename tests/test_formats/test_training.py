"""``--data FOLDER`` of every format: a few steps are trained, from links that are made once."""

import json
from pathlib import Path

import pytest

import lgd_mm.formats.ready_folder as module
from lgd_mm.engine.launch import train
from lgd_mm.formats.ready_folder import ready_folder, source_of
from lgd_mm.io.options import parse_options
from tests.format_samples import sample
from tests.own_sets import CLASSES, DETECTOR, FASTER, SEGMENTER, SLIM, UPERNET, write_coco_set, write_image, write_masks

DETECTION = ('coco', 'yolo', 'yolo_seg', 'darknet', 'voc', 'voc_flat', 'cvat', 'labelme', 'supervisely')
CLASSIFIER = 'configs/classification/finetune_r18_folder.py'
LOADERS = [f'{part}_dataloader.{option}' for part in ('train', 'val', 'test')
           for option in ('num_workers=0', 'persistent_workers=False', 'batch_size=2')]


@pytest.mark.parametrize('form', [
    pytest.param(form, marks=() if form in ('coco', 'yolo', 'voc') else pytest.mark.nightly) for form in DETECTION])
def test_detection(tmp_path, form, capsys):
    root = sample(form, tmp_path / 'a set')
    runner = train(FASTER, data=str(root), work_dir=str(tmp_path / 'run'), cfg_options=parse_options(DETECTOR))
    assert runner.iter >= 1 and sorted(runner.train_dataloader.dataset.metainfo['classes']) == sorted(CLASSES)
    output = capsys.readouterr().out
    # COCO's own layout is read as it is
    assert (f'{root}: {form.split("_")[0].replace("darknet", "yolo")}, images: ' in output) == (form != 'coco')


@pytest.mark.parametrize('form', ['voc_masks', 'camvid', 'yolo_seg'])
def test_segmentation(tmp_path, form, capsys):
    root = sample(form, tmp_path / 'a set')
    runner = train(UPERNET, data=str(root), work_dir=str(tmp_path / 'run'), cfg_options=parse_options(SEGMENTER))
    assert runner.iter == 2 and runner.train_dataloader.dataset.metainfo['classes'] == ('background', *CLASSES)
    assert ('masks are drawn from the outlines' in capsys.readouterr().out) == (form == 'yolo_seg')


@pytest.mark.parametrize('form', ['csv', 'folders'])
def test_classification(tmp_path, form, capsys):
    lines = ['image,label']
    for index in range(9):
        name = f'{CLASSES[index % 3]}/{index} ü.jpg'
        write_image(tmp_path / 'set' / (name if form == 'folders' else f'images/{index} ü.jpg'), index)
        lines.append(f'images/{index} ü.jpg,{CLASSES[index % 3]}')
    if form == 'csv':
        (tmp_path / 'set/labels.csv').write_text('\n'.join(lines))
    runner = train(CLASSIFIER, data=str(tmp_path / 'set'), work_dir=str(tmp_path / 'run'), cfg_options=parse_options(
        [*SLIM, *LOADERS, 'model.head.in_channels=64', 'train_cfg.max_epochs=1']))
    assert runner.iter >= 1 and runner.model.head.num_classes == 3
    assert 'by a hash of its name, each image is of train' in capsys.readouterr().out


def test_the_folder_is_made_once_and_again_when_the_set_changes(tmp_path, capsys):
    root = write_coco_set(tmp_path / 'set', train=12)
    (root / 'annotations/val.json').unlink()
    (root / 'annotations').rename(root / 'labels')
    made = ready_folder(root, 'mmdet')
    said = capsys.readouterr().out
    assert 'no part is to measure by' in said and source_of(made) == str(root)
    assert ready_folder(root, 'mmdet') == made and capsys.readouterr().out == said, 'the same is said again'
    val = {image['file_name'] for image in json.loads(open(f'{made}/annotations/val.json').read())['images']}

    write_image(root / 'train/999.jpg', 1)
    content = json.loads((root / 'labels/train.json').read_text())
    content['images'].append(dict(id=999, file_name='999.jpg', width=64, height=64))
    (root / 'labels/train.json').write_text(json.dumps(content))
    other = ready_folder(root, 'mmdet')
    assert other != made
    assert val <= {image['file_name'] for image in json.loads(open(f'{other}/annotations/val.json').read())['images']}


def test_what_is_read_as_it_is_stays_where_it_is(tmp_path):
    coco = write_coco_set(tmp_path / 'coco')
    masks = write_masks(tmp_path / 'masks', 'images/{split}', 'masks/{split}')
    for path in ('train/nut/0.jpg', 'train/bolt/1.jpg', 'val/nut/2.jpg', 'val/bolt/3.jpg'):
        write_image(tmp_path / 'folders' / path, 0)
    for root, scope in ((coco, 'mmdet'), (masks, 'mmseg'), (tmp_path / 'folders', 'mmpretrain')):
        assert ready_folder(root, scope) == str(root) and source_of(root) is None
    assert ready_folder(tmp_path / 'nothing', 'mmdet') == str(tmp_path / 'nothing'), 'told by whoever reads it'


def test_two_processes_make_one_folder(tmp_path, monkeypatch):
    root = sample('yolo', tmp_path / 'set')
    write = module.write_set

    def overtaken(*args):
        monkeypatch.setattr(module, 'write_set', write)
        ready_folder(root, 'mmdet')  # another process begins later and is first
        write(*args)
    monkeypatch.setattr(module, 'write_set', overtaken)
    made = Path(ready_folder(root, 'mmdet'))
    assert (made / 'annotations/train.json').is_file()
    assert not [path for path in made.parent.iterdir() if path.name.startswith(f'.{made.name}')], 'nothing is left'
