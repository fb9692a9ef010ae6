"""What each test image adds gives the very metrics that the three libraries compute."""

import contextlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmpretrain.evaluation import Accuracy

import lgd_mm.engine.launch  # noqa: F401 - pycocotools is faster-coco-eval's from now on
from lgd_mm.engine.image_results import keep_image_results
from lgd_mm.lean_mmseg import IoUMetric
from lgd_mm.statistics.files import KeptResults, read


class DataSet(list):
    """Entries of images."""

    def __init__(self, metainfo: dict, count: int) -> None:
        super().__init__(dict(img_path=f'/data/val/{number}.png') for number in range(count))
        self.metainfo = metainfo

    get_data_info = list.__getitem__


def evaluated(metric, results: list, folder: Path, classes=('a', 'b', 'c')) -> tuple[dict, KeptResults | None]:
    """What a metric computes, and what is kept beside it."""
    metric.dataset_meta = dict(classes=classes)
    dataset = DataSet(metric.dataset_meta, len(results))
    loop = SimpleNamespace(evaluator=SimpleNamespace(metrics=[metric]), dataloader=SimpleNamespace(dataset=dataset))
    keep_image_results(SimpleNamespace(test_loop=loop, work_dir=str(folder)), 'test')
    metric.results = list(results)
    return metric.evaluate(len(results)), read(folder / 'image_results.npz')


def whole(kept: KeptResults, key: str) -> float:
    return float(kept.metrics[key].values(np.ones((1, len(kept.images))))[0])


def test_accuracy(tmp_path) -> None:
    generator = torch.Generator().manual_seed(0)
    results = [dict(pred_score=torch.rand(3, generator=generator), gt_label=torch.tensor([number % 3]))
               for number in range(40)]
    figures, kept = evaluated(Accuracy(topk=(1, 2)), results, tmp_path)
    assert kept.images[:2] == ['0.png', '1.png'] and kept.classes == ['a', 'b', 'c']
    for key in ('accuracy/top1', 'accuracy/top2'):
        assert 100 * whole(kept, key) == pytest.approx(figures[key], abs=1e-4) and 0 < figures[key] < 100


def test_a_score_of_zero_or_nan_is_never_right(tmp_path) -> None:
    """As neighbours give to classes that none of them has, and a network that has diverged."""
    scores = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [float('nan')] * 3, [0.2, 0.5, 0.3]]
    results = [dict(pred_score=torch.tensor(score), gt_label=torch.tensor([label]))
               for score, label in zip(scores, (0, 1, 0, 1))]
    for thrs in (0.0, None, 0.4):
        figures, kept = evaluated(Accuracy(topk=(1, 2), thrs=thrs), results, tmp_path)
        assert {key: 100 * whole(kept, key) for key in kept.metrics} == figures and len(figures) == 2
    _, kept = evaluated(Accuracy(topk=1, thrs=(0.0, 0.5)), results, tmp_path)
    assert not kept.metrics  # neither figure is the accuracy


def test_miou(tmp_path) -> None:
    generator = torch.Generator().manual_seed(0)
    metric = IoUMetric()
    results = [metric.intersect_and_union(*torch.randint(0, 3, (2, 8, 8), generator=generator), 3, 255)
               for _ in range(5)]
    figures, kept = evaluated(metric, results, tmp_path)
    assert 100 * whole(kept, 'mIoU') == pytest.approx(figures['mIoU'], abs=5e-3)


def coco(folder: Path) -> tuple[Path, list]:
    """Annotations of three images, the last without objects, and detections near the objects."""
    from pycocotools import mask
    rng = np.random.default_rng(0)
    truth, results = [], []
    for image in range(3):
        boxes, labels, masks = [], [], []
        for number in range(6 if image < 2 else 0):
            x, y, w, h = rng.integers([0, 0, 12, 12], [40, 40, 24, 24]).tolist()
            truth.append(dict(id=len(truth) + 1, image_id=image + 1, category_id=number % 3 + 1, bbox=[x, y, w, h],
                              area=w * h, iscrowd=0, segmentation=[[x, y, x + w, y, x + w, y + h, x, y + h]]))
            near = np.array([x, y, x + w, y + h]) + rng.integers(-3, 4, 4)
            boxes.append(near.clip(0, 63))
            labels.append(number % 3 if rng.random() < 0.8 else 0)
            drawn = np.zeros((64, 64), np.uint8, order='F')
            drawn[boxes[-1][1]:boxes[-1][3], boxes[-1][0]:boxes[-1][2]] = 1
            masks.append(mask.encode(drawn))
        results.append((dict(width=64, height=64, img_id=image + 1), dict(
            img_id=image + 1, bboxes=np.array(boxes, np.float32).reshape(-1, 4), labels=np.array(labels, int),
            scores=rng.random(len(labels)).astype(np.float32), masks=masks)))
    file = folder / 'annotations.json'
    file.write_text(json.dumps(dict(
        images=[dict(id=number, width=64, height=64, file_name=f'{number}.png') for number in (1, 2, 3)],
        annotations=truth, categories=[dict(id=number + 1, name=name) for number, name in enumerate('abc')])))
    return file, results


def test_box_and_mask_ap(tmp_path) -> None:
    from mmdet.evaluation import CocoMetric
    file, results = coco(tmp_path)
    with contextlib.redirect_stdout(None):
        figures, kept = evaluated(CocoMetric(str(file), metric=['bbox', 'segm']), results, tmp_path)
    for key in ('coco/bbox_mAP', 'coco/segm_mAP'):
        assert whole(kept, key) == pytest.approx(figures[key], abs=5e-4) and 0 < figures[key] < 1
    (tmp_path / 'image_results.npz').unlink()
    with contextlib.redirect_stdout(None):  # of a part of the set, the rest counts as missed: nothing is kept
        _, kept = evaluated(CocoMetric(str(file), metric='bbox'), results[:2], tmp_path)
    assert kept is None or not kept.metrics


@pytest.mark.parametrize('order', [1, -1])
def test_ties_are_settled_as_by_coco_whatever_the_order_of_the_images(tmp_path, order) -> None:
    from mmdet.evaluation import CocoMetric
    file, results = coco(tmp_path)
    tied = [(truth, found | dict(scores=np.full_like(found['scores'], 0.5))) for truth, found in results][::order]
    with contextlib.redirect_stdout(None):
        figures, kept = evaluated(CocoMetric(str(file)), tied, tmp_path)
    assert whole(kept, 'coco/bbox_mAP') == pytest.approx(figures['coco/bbox_mAP'], abs=5e-4)


@pytest.mark.parametrize('most', [(100, 300, 1000), (100, 1, 10), (1, 2)])
def test_as_many_detections_count_as_in_the_log(tmp_path, most) -> None:
    """Of an image and a class; the right ones are the least sure of 150."""
    from mmdet.evaluation import CocoMetric
    file, ((truth, found), *others) = coco(tmp_path)
    rng = np.random.default_rng(0)
    wrong = np.hstack([rng.uniform(0, 40, (144, 2)), rng.uniform(40, 63, (144, 2))])
    many = dict(img_id=1, bboxes=np.vstack([wrong, found['bboxes']]).astype(np.float32), labels=np.zeros(150, int),
                scores=np.linspace(1, 0.1, 150, dtype=np.float32))
    with contextlib.redirect_stdout(None):
        figures, kept = evaluated(CocoMetric(str(file), proposal_nums=most), [(truth, many), *others], tmp_path)
    assert whole(kept, 'coco/bbox_mAP') == pytest.approx(figures['coco/bbox_mAP'], abs=5e-4)


def test_nothing_is_read_of_figures_that_are_not_known(tmp_path) -> None:
    """LVIS's average precision, and metrics that only write what was predicted."""
    from mmdet.evaluation import CocoMetric, LVISMetric
    file, results = coco(tmp_path)
    content = json.loads(file.read_text())
    for image in content['images']:
        image |= dict(neg_category_ids=[], not_exhaustive_category_ids=[])
    for category in content['categories']:
        category |= dict(frequency='f', image_count=2)
    (tmp_path / 'lvis.json').write_text(json.dumps(content))
    for metric in (LVISMetric(str(tmp_path / 'lvis.json'), metric='bbox'),
                   CocoMetric(str(file), format_only=True, outfile_prefix=str(tmp_path / 'found'))):
        with contextlib.redirect_stdout(None):
            figures, kept = evaluated(metric, results, tmp_path)
        assert kept.metrics == {} and bool(figures) == isinstance(metric, LVISMetric)


def test_each_evaluation_takes_the_place_of_the_one_before(tmp_path) -> None:
    class Failing(Accuracy):
        def compute_metrics(self, results: list) -> dict:
            return {} if self.topk == (2, ) else super().compute_metrics(results)

    metric = Failing(topk=1)
    results = [dict(pred_score=torch.tensor([0.6, 0.4]), gt_label=torch.tensor([1]))] * 2
    _, kept = evaluated(metric, results, tmp_path)
    assert whole(kept, 'accuracy/top1') == 0
    metric.topk = (2, )
    metric.results = list(results)
    metric.evaluate(2)
    assert not read(tmp_path / 'image_results.npz').metrics


def test_a_metric_made_from_a_known_one_is_read_and_others_are_passed_over(tmp_path) -> None:
    class Own(Accuracy):
        default_prefix = 'own'

    class Other(Own):
        def compute_metrics(self, results: list) -> dict:
            return dict(count=len(results))

    results = [dict(pred_label=torch.tensor([1]), gt_label=torch.tensor([1]))]
    figures, kept = evaluated(Own(topk=1), results, tmp_path)
    assert figures == {'own/top1': 100.0} and whole(kept, 'own/top1') == 1
    figures, kept = evaluated(Other(topk=1), results, tmp_path)
    assert figures == {'own/count': 1} and not kept.metrics
