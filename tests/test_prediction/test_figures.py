"""What predict() writes, measured by others, is what tools/test.py logs of the same network and set."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from faster_coco_eval import COCO, COCOeval_faster
from PIL import Image

import lgd_mm
from lgd_mm.engine import launch
from tests.own_sets import CLASSES


def figures_of(run: Path, out: Path, **options: object) -> dict[str, float]:
    """The figures of tools/test.py."""
    return launch.test(str(run / 'resolved_config.py'), str(run / 'epoch_1.pth'), work_dir=str(out),
                       cfg_options=options)


def scored(truth: Path, results: list[dict], kind: str) -> list[float]:
    """AP, AP50, AP75, and of small, medium and large ones."""
    given = COCO(str(truth))
    evaluation = COCOeval_faster(given, given.loadRes(results), kind, print_function=lambda *_: None)
    evaluation.run()
    return list(evaluation.stats[:6])


def test_detection(detector, coco_set, tmp_path):
    """The truth is some of what the network finds, moved by a pixel or two, so that figures are high and low."""
    ids = coco_set / 'annotations/val.json'
    found = lgd_mm.predict(detector, coco_set / 'val', tmp_path / 'found', ids=ids)
    assert (found.images, found.task, found.left_out) == (5, 'instance-segmentation', [])
    results = json.loads((tmp_path / 'found/predictions.json').read_text())
    truth = json.loads(ids.read_text())
    assert {item['image_id'] for item in results} == {image['id'] for image in truth['images']}
    truth['annotations'] = []
    for index, item in enumerate(results[::3]):
        left, top, width, height = item['bbox']
        if width > 4 and height > 4:
            truth['annotations'].append(dict(
                id=index + 1, image_id=item['image_id'], category_id=item['category_id'], iscrowd=0,
                bbox=[left + index % 3, top, width, height], area=width * height, segmentation=item['segmentation']))
    data = tmp_path / 'data'
    shutil.copytree(coco_set, data)
    (data / 'annotations/val.json').write_text(json.dumps(truth))

    logged = figures_of(detector, tmp_path / 'test', **{
        'test_dataloader.dataset.ann_file': str(data / 'annotations/val.json'),
        'test_evaluator.ann_file': str(data / 'annotations/val.json')})
    names = ['', '_50', '_75', '_s', '_m', '_l']
    boxes = scored(data / 'annotations/val.json', results, 'bbox')
    assert boxes == pytest.approx([logged[f'coco/bbox_mAP{name}'] for name in names], abs=5.1e-4)
    without = [{key: value for key, value in item.items() if key != 'bbox'} for item in results]
    masks = scored(data / 'annotations/val.json', without, 'segm')
    assert masks == pytest.approx([logged[f'coco/segm_mAP{name}'] for name in names], abs=5.1e-4)
    assert 0.1 < boxes[0] < 0.9 and 0.1 < masks[0] < 0.9

    listed = json.loads((tmp_path / 'found/images.json').read_text())
    assert [(item['id'], item['file_name']) for item in listed['images']] == [
        (item['id'], item['file_name']) for item in truth['images']]
    assert listed['categories'] == [dict(id=10 * (index + 1), name=name) for index, name in enumerate(CLASSES)]
    COCO(str(tmp_path / 'found/images.json')).loadRes(results)


def test_segmentation(segmentor, mask_set, tmp_path):
    found = lgd_mm.predict(segmentor, mask_set / 'images/val', tmp_path / 'found')
    assert (found.images, found.task, found.file) == (3, 'segmentation', tmp_path / 'found/masks')
    classes = (tmp_path / 'found/classes.txt').read_text().splitlines()
    assert classes == ['ground', *CLASSES]
    inter, union, right, count = np.zeros(4), np.zeros(4), 0, 0
    for file in sorted((tmp_path / 'found/masks').iterdir()):
        with Image.open(file) as mask, Image.open(mask_set / 'masks/val' / file.name) as given:
            palette = mask.getpalette()
            predicted, truth = np.asarray(mask), np.asarray(given)
        known = truth != 255
        right, count = right + (predicted == truth)[known].sum(), count + known.sum()
        for label in range(4):
            inter[label] += ((predicted == label) & (truth == label) & known).sum()
            union[label] += (((predicted == label) | (truth == label)) & known).sum()
    logged = figures_of(segmentor, tmp_path / 'test')
    assert logged['mIoU'] == pytest.approx(100 * (inter / union).mean(), abs=5.1e-3)
    assert logged['aAcc'] == pytest.approx(100 * right / count, abs=5.1e-3)
    assert palette[:6] == [166, 41, 41, 151, 242, 61]  # of own_data/palette.py
    assert len(np.unique(predicted)) > 1


def test_classification(classifier, class_set, tmp_path):
    found = lgd_mm.predict(classifier, class_set / 'val', tmp_path / 'found')
    with found.file.open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['picture', 'rank', 'name', 'score'] and len(rows) == 12 * 3
    best = [row for row in rows if row['rank'] == '1']
    right = [Path(row['picture']).parent.name == row['name'] for row in best]
    assert all(Path(row['picture']).is_file() for row in rows)
    assert figures_of(classifier, tmp_path / 'test')['accuracy/top1'] == pytest.approx(100 * np.mean(right))
    assert len({row['name'] for row in best}) > 1 and 0 < np.mean(right) < 1
    assert sum(float(row['score']) for row in rows[:3]) == pytest.approx(1, abs=2e-4)
