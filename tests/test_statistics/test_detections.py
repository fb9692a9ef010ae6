"""Average precision of drawn images, against pycocotools' evaluation."""

import numpy as np
import pytest
from faster_coco_eval import COCO, COCOeval_faster

from lgd_mm.statistics.detections import Detections, average_precision, match_detections

THRESHOLDS = np.linspace(0.5, 0.95, 10)


def test_matching_is_that_of_coco() -> None:
    """The surest takes the object it overlaps most; the next one the free one; then the crowd."""
    ious = np.array([[0.9, 0.6, 0.0], [0.8, 0.55, 0.0], [0.7, 0.0, 0.95], [0.0, 0.0, 0.6]])
    match = match_detections(ious, np.array([False, False, True]), np.array([0.5, 0.75]))
    assert match.T.tolist() == [[1, 1, 2, 2], [1, 0, 2, 0]]
    assert match_detections(np.zeros((2, 0)), np.zeros(0, bool), THRESHOLDS).tolist() == [[0] * 10] * 2


def test_average_precision_by_hand() -> None:
    """Two objects; right, wrong, right: precision 1 up to recall 0.5, then 2/3."""
    match = np.array([[1], [0], [1]], np.int8)
    expected = (51 * 1 + 50 * 2 / 3) / 101
    assert average_precision(match, np.ones((1, 3)), np.array([2.0])) == pytest.approx(expected)
    assert np.isnan(average_precision(match, np.ones((1, 3)), np.array([0.0]))[0])
    assert average_precision(match[:0], np.ones((1, 0)), np.array([2.0])) == 0


def made_up(images: int, seed: int) -> tuple[dict, list[dict]]:
    """Annotations with a crowd here and there, and detections near them."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for image in range(1, images + 1):
        for _ in range(rng.integers(0, 5)):
            box = [*rng.uniform(0, 60, 2), *rng.uniform(10, 40, 2)]
            truth.append(dict(id=len(truth) + 1, image_id=image, category_id=int(rng.integers(1, 4)), bbox=box,
                              area=box[2] * box[3], iscrowd=int(rng.random() < 0.1)))
            for _ in range(rng.integers(0, 3)):
                near = (np.array(box) + rng.normal(scale=3, size=4)).tolist()
                found.append(dict(image_id=image, category_id=truth[-1]['category_id'] if rng.random() < 0.8 else 1,
                                  bbox=near, score=float(rng.random())))
    dataset = dict(info={}, images=[dict(id=image, width=120, height=120) for image in range(1, images + 1)],
                   annotations=truth, categories=[dict(id=number, name=f'{number}') for number in range(1, 4)])
    return dataset, found


def coco_ap(dataset: dict, found: list[dict]) -> float:
    truth = COCO(dataset)
    evaluation = COCOeval_faster(truth, truth.loadRes(found), 'bbox', print_function=lambda *_: None)
    evaluation.run()
    return float(evaluation.stats[0])


def repeated(dataset: dict, found: list[dict], counts: list[int]) -> tuple[dict, list[dict]]:
    """The same with each image as often as it was drawn."""
    images, truth, detections = [], [], []
    for image, count in enumerate(counts, 1):
        for _ in range(count):
            number = len(images) + 1
            images.append(dict(id=number, width=120, height=120))
            truth += [one | dict(id=len(truth) + place + 1, image_id=number) for place, one in enumerate(
                one for one in dataset['annotations'] if one['image_id'] == image)]
            detections += [one | dict(image_id=number) for one in found if one['image_id'] == image]
    return dataset | dict(images=images, annotations=truth), detections


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_ap_is_that_of_pycocotools_also_of_drawn_images(seed) -> None:
    from faster_coco_eval.core import mask
    dataset, found = made_up(12, seed)
    parts, objects = [], np.zeros((12, 3), np.int64)
    for image in range(12):
        for category in range(3):
            at = (image + 1, category + 1)
            truth = [one for one in dataset['annotations'] if (one['image_id'], one['category_id']) == at]
            mine = sorted((one for one in found if (one['image_id'], one['category_id']) == at),
                          key=lambda one: -one['score'])
            crowd = np.array([bool(one['iscrowd']) for one in truth], bool)
            objects[image, category] = (~crowd).sum()
            if mine:
                ious = np.zeros((len(mine), 0)) if not truth else mask.iou(
                    np.array([one['bbox'] for one in mine]), np.array([one['bbox'] for one in truth]), crowd.tolist())
                parts.append((np.full(len(mine), image), np.full(len(mine), category),
                              np.array([one['score'] for one in mine]),
                              match_detections(np.asarray(ious), crowd, THRESHOLDS)))
    results = Detections(*map(np.concatenate, zip(*parts)), objects)
    assert results.values(np.ones((1, 12)))[0] == pytest.approx(coco_ap(dataset, found), abs=1e-9)
    counts = np.random.default_rng(seed).multinomial(12, np.full(12, 1 / 12))
    assert results.values(counts[None].astype(float))[0] == pytest.approx(
        coco_ap(*repeated(dataset, found, counts.tolist())), abs=1e-9)
