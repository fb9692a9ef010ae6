"""The areas of one confusion matrix are mmseg's, to the last digit."""

import pytest
import torch
from mmseg.evaluation import IoUMetric as MMSegIoUMetric

from lgd_mm.lean_mmseg import IoUMetric


def maps(low, high, kind=torch.int64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(low, high, (2, 61, 47), generator=generator).to(kind)


@pytest.mark.parametrize(('low', 'high', 'num_classes', 'ignore_index'), [
    (0, 19, 19, 255),
    (0, 256, 150, 255),  # labels and predictions outside, and ignored ones
    (-3, 9, 5, -1),
    (0, 7, 7, 0),  # a class that is ignored
    (255, 256, 150, 255),  # nothing counts
], ids=['plain', 'outside', 'negative', 'class', 'nothing'])
def test_areas_are_mmsegs(low, high, num_classes, ignore_index):
    prediction, label = maps(low, high)
    ours, theirs = (metric.intersect_and_union(prediction, label, num_classes, ignore_index)
                    for metric in (IoUMetric, MMSegIoUMetric))
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.dtype == other.dtype and torch.equal(mine, other)


def test_inputs_stay_and_may_be_bytes():
    prediction, label = maps(0, 256, torch.uint8)
    before = label.clone()
    ours = IoUMetric.intersect_and_union(prediction, label, 150, 255)
    theirs = MMSegIoUMetric.intersect_and_union(prediction, label, 150, 255)
    assert all(torch.equal(mine, other) for mine, other in zip(ours, theirs)) and torch.equal(label, before)


def test_metrics_of_several_images_are_mmsegs():
    """Through mmengine's own steps, with a mask in bytes."""
    results = []
    for metric in (IoUMetric(iou_metrics=['mIoU', 'mDice']), MMSegIoUMetric(iou_metrics=['mIoU', 'mDice'])):
        metric.dataset_meta = dict(classes=[str(index) for index in range(6)])
        for seed in range(3):
            prediction, label = maps(0, 6, seed=seed)
            label[:5] = 255
            sample = dict(pred_sem_seg=dict(data=prediction[None]), gt_sem_seg=dict(data=label[None].byte()))
            metric.process({}, [sample])
        results.append(metric.evaluate(3))
    assert results[0] == results[1] and results[0]['mIoU'] > 0
