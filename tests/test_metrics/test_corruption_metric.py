"""Each corruption is measured for itself, as a test of it alone would, and the figures are averaged."""

import json
from statistics import fmean

import numpy as np
import pytest
import torch
from mmengine.registry import METRICS as ROOT_METRICS
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData

import lgd_mm.lean_mmseg  # noqa: F401 - registers IoUMetric
from lgd_mm.errors import UserError
from lgd_mm.metrics import CorruptionMetric
from lgd_mm.registry import METRICS

PARTS = [(None, 0), ('fog', 1), ('fog', 3), ('snow', 1), ('snow', 3)]


def measured(config, samples, **meta):
    """What a metric says of samples, in batches of two."""
    metric = METRICS.build(config)
    metric.dataset_meta = meta
    for start in range(0, len(samples), 2):
        metric.process({}, samples[start:start + 2])
    return metric.evaluate(len(samples))


def compared(scope, inner, measures, samples_of, **meta):
    """All parts by one metric, and the means of each part's own test."""
    samples = [dict(sample, corruption=name, severity=severity)
               for name, severity in PARTS for sample in samples_of(PARTS.index((name, severity)))]
    with DefaultScope.overwrite_default_scope(scope):
        found = measured(dict(type='lgd_mm.CorruptionMetric', metric=inner, measures=measures), samples, **meta)
        alone = {part: measured(inner, samples_of(index), **meta) for index, part in enumerate(PARTS)}
    for measure in [measures] if isinstance(measures, str) else measures:
        figures = {part: each[measure] for part, each in alone.items()}
        clean = figures.pop((None, 0))
        own = f'corrupted/{measure.split("/")[-1]}'
        assert len(set(figures.values())) > 2 and found[measure] == clean
        expected = dict(mean=fmean(figures.values()), relative=fmean(figures.values()) / clean)
        for name in ('fog', 'snow'):
            expected[name] = (figures[name, 1] + figures[name, 3]) / 2
        for severity in (1, 3):
            expected[f'severity{severity}'] = (figures['fog', severity] + figures['snow', severity]) / 2
        for name, value in expected.items():
            assert found[f'{own}/{name}'] == pytest.approx(value, rel=1e-6), name
    return found


def classified(part):
    """The later the part, the more are wrong."""
    rng = np.random.default_rng(part)
    labels = rng.integers(3, size=20)
    scores = torch.softmax(torch.from_numpy(4 / (1 + part) * np.eye(3)[labels] + rng.normal(size=(20, 3))), dim=1)
    return [dict(pred_score=score, gt_label=torch.tensor([label])) for score, label in zip(scores, labels)]


def test_classification():
    found = compared('mmpretrain', dict(type='Accuracy'), 'accuracy/top1', classified)
    assert found['accuracy/top1'] > found['corrupted/top1/mean']


def test_two_metrics():
    config = dict(type='lgd_mm.CorruptionMetric', measures=['accuracy/top1', 'calibration/ece'],
                  metric=[dict(type='Accuracy'), dict(type='lgd_mm.CalibrationError')])
    samples = [dict(sample, corruption=name, severity=severity)
               for index, (name, severity) in enumerate(PARTS) for sample in classified(index)]
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        found = measured(config, samples)
        errors = [measured(dict(type='lgd_mm.CalibrationError'), classified(index))['calibration/ece']
                  for index in range(5)]
    assert found['calibration/ece'] == errors[0]
    assert found['corrupted/ece/mean'] == pytest.approx(fmean(errors[1:]))


def segmented(part):
    """Masks of other sizes: a pooled mIoU would weigh the parts."""
    rng = np.random.default_rng(part)
    samples = []
    for _ in range(4):
        mask = torch.from_numpy(rng.integers(3, size=(1, 8 + 4 * part, 9)))
        wrong = torch.from_numpy(rng.random(mask.shape) < 0.1 * part + 0.05)
        samples.append(dict(gt_sem_seg=PixelData(data=mask).to_dict(), img_path='a.png', pred_sem_seg=PixelData(
            data=torch.where(wrong, (mask + 1) % 3, mask)).to_dict()))
    return samples


def test_segmentation():
    compared('mmseg', dict(type='lgd_mm.IoUMetric', iou_metrics=['mIoU']), 'mIoU', segmented, classes=('a', 'b', 'c'))


@pytest.fixture
def annotations(tmp_path):
    rng = np.random.default_rng(0)
    boxes = [[float(x), float(y), 20.0, 24.0] for x, y in rng.integers(0, 60, (6, 2))]
    content = dict(
        images=[dict(id=index, file_name=f'{index}.png', width=100, height=100) for index in range(3)],
        categories=[dict(id=1, name='cat'), dict(id=2, name='dog')],
        annotations=[dict(id=index + 1, image_id=index // 2, category_id=1 + index % 2, bbox=box, area=480.0, iscrowd=0)
                     for index, box in enumerate(boxes)])
    (tmp_path / 'boxes.json').write_text(json.dumps(content))
    return content, str(tmp_path / 'boxes.json')


def test_detection(annotations):
    """AP is no mean over images: it is computed for each part."""
    content, file = annotations

    def detected(part):
        rng = np.random.default_rng(part)
        samples = []
        for image in range(3):
            own = [each for each in content['annotations'] if each['image_id'] == image]
            boxes = np.array([each['bbox'] for each in own]) + rng.normal(0, 1.0 + part, (2, 4))
            corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
            samples.append(dict(img_id=image, ori_shape=(100, 100), pred_instances=dict(
                bboxes=torch.from_numpy(corners), scores=torch.from_numpy(rng.random(2)),
                labels=torch.tensor([each['category_id'] - 1 for each in own]))))
        return samples
    compared('mmdet', dict(type='CocoMetric', ann_file=file, metric='bbox'), ['coco/bbox_mAP', 'coco/bbox_mAP_50'],
             detected, classes=('cat', 'dog'))


def test_it_is_an_evaluator_of_mmengine():
    """mmengine takes a dict with other keys for an evaluator of its own."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        config = dict(type='lgd_mm.CorruptionMetric', metric=dict(type='Accuracy'), measures='accuracy/top1')
        assert isinstance(ROOT_METRICS.build(config), CorruptionMetric)


def test_nothing_right_when_clean():
    samples = [dict(pred_score=torch.tensor([1.0, 0.0]), gt_label=torch.tensor([1]), corruption=name, severity=severity)
               for name, severity in PARTS]
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        found = measured(dict(type='lgd_mm.CorruptionMetric', metric=dict(type='Accuracy'), measures='accuracy/top1'),
                         samples)
    assert found['corrupted/top1/mean'] == 0 and np.isnan(found['corrupted/top1/relative'])


@pytest.mark.parametrize(('measures', 'about', 'sentence'), [
    ('accuracy/top5', dict(corruption='fog', severity=1), 'name accuracy/top5, and there are accuracy/top1'),
    ('accuracy/top1', {}, 'measures the images of lgd_mm.CorruptedImages: put it around'),
    (['coco/top1', 'accuracy/top1'], {}, 'two have the same last part'),
])
def test_mistakes(measures, about, sentence):
    clean = dict(classified(0)[0], **(about and dict(corruption=None, severity=0)))
    with DefaultScope.overwrite_default_scope('mmpretrain'), pytest.raises(UserError, match=sentence):
        measured(dict(type='lgd_mm.CorruptionMetric', metric=dict(type='Accuracy'), measures=measures),
                 [clean, dict(clean, **about)])
