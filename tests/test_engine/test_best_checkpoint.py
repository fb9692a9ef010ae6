"""By what the best checkpoint is chosen, known before anything is trained."""

import pytest
from mmengine.config import Config, ConfigDict

from lgd_mm.engine.checks.best_metric import check_best
from lgd_mm.errors import UserError
from tests.tiny import ROOT

CONFIGS = dict(detection='shapes/mask-rcnn_r18-slim_fpn_shapes.py', lvis='lvis/mask-rcnn_r18_fpn_1x_lvis-v1.py',
               segmentation='shapes/upernet_r18-slim_shapes.py', classification='shapes/linear_r18-slim_shapes.py')


def check(task, save_best, evaluator=None, **hook):
    cfg = Config.fromfile(ROOT / 'configs' / CONFIGS[task])
    cfg.default_hooks = ConfigDict(checkpoint=dict(save_best=save_best, **hook))
    cfg.val_evaluator.update(evaluator or {})
    check_best(cfg)


@pytest.mark.parametrize(('task', 'save_best', 'evaluator', 'hook'), [
    ('detection', 'coco/bbox_mAP', {}, {}), ('detection', ['coco/segm_mAP_50', 'coco/bbox_mAP_l'], {}, {}),
    ('detection', 'auto', {}, {}), ('detection', 'nut_precision', dict(classwise=True), {}),
    ('detection', 'mine/bbox_mAP', dict(prefix='mine'), {}),
    ('detection', 'coco/AR@300', dict(metric='proposal_fast'), {}),
    ('detection', 'anything_top', dict(type='Mine'), {}),
    ('lvis', 'lvis/bbox_AP', {}, dict(rule='greater')), ('segmentation', 'mIoU', {}, {}),
    ('segmentation', 'mDice', dict(iou_metrics=['mIoU', 'mDice']), {}), ('classification', 'accuracy/top1', {}, {}),
    ('classification', 'accuracy/top5', dict(topk=(1, 5)), {}),
    ('classification', 'accuracy/top1_thr-0.50', dict(thrs=(0., 0.5)), {})])
def test_figures_there_are(task, save_best, evaluator, hook):
    check(task, save_best, evaluator, **hook)


@pytest.mark.parametrize(('task', 'save_best', 'hook', 'sentence'), [
    ('detection', 'bbox_mAP', {}, 'checkpoint.save_best=bbox_mAP is no figure of the validation, which gives '
     'coco/bbox_mAP, coco/bbox_mAP_50, .*, coco/segm_mAP_l$'),
    ('detection', ['coco/bbox_mAP', 'bbox_mAP_50'], {}, 'save_best=bbox_mAP_50 is no figure'),
    ('segmentation', 'mDice', {}, 'save_best=mDice is no figure of the validation, which gives aAcc, mIoU, mAcc$'),
    ('classification', 'top1', {}, 'save_best=top1 is no figure of the validation, which gives accuracy/top1$'),
    ('lvis', 'lvis/bbox_AP', {}, 'more of .*save_best=lvis/bbox_AP is better: give .*rule=greater'),
    ('segmentation', 'mIoU', dict(rule='more'), "checkpoint.rule='more' is none: give greater or less"),
    ('segmentation', ['mIoU', 'mAcc', 'aAcc'], dict(rule=['greater', 'less']), 'one for each of mIoU, mAcc, aAcc'),
    ('segmentation', 5, {}, 'save_best=5 is no name of a figure: give one'),
    ('segmentation', ['mIoU', 'mIoU'], {}, 'a list of different ones'),
    ('segmentation', ['auto', 'mIoU'], {}, 'a list of different ones, or .auto. for the first')])
def test_what_is_no_figure(task, save_best, hook, sentence):
    with pytest.raises(UserError, match=sentence):
        check(task, save_best, **hook)


@pytest.mark.parametrize(('metric', 'figure'), [
    ('CalibrationError', 'calibration/ece'), ('RetrievalMAP', 'retrieval/mAP'), ('OutlierAUROC', 'outliers/auroc'),
    ('RankMe', 'embedding/rankme'), ('NeighbourAccuracy', 'knn/top1'), ('ZeroShotAccuracy', 'zero-shot/top1')])
def test_figures_of_our_metrics(metric, figure):
    """Named as the metrics name them; of the rank, nothing but the rule tells that more is better."""
    cfg = Config(dict(val_dataloader=dict(batch_size=1), val_evaluator=dict(type=f'lgd_mm.{metric}'),
                      default_hooks=dict(checkpoint=dict(save_best=figure, rule='greater'))))
    check_best(cfg)
    cfg.default_hooks.checkpoint.save_best = 'top1'
    with pytest.raises(UserError, match=f'save_best=top1 is no figure of the validation, which gives {figure}$'):
        check_best(cfg)


def test_a_run_without_validation():
    with pytest.raises(UserError, match='save_best=auto needs a validation, and the config has none'):
        check_best(Config(dict(default_hooks=dict(checkpoint=dict(save_best='auto')), val_dataloader=None)))


def test_a_figure_that_stops_the_training():
    with pytest.raises(UserError, match='custom_hooks.0.monitor=bbox_mAP is no figure of the validation'):
        check_best(Config(dict(val_dataloader=dict(batch_size=1), val_evaluator=dict(type='CocoMetric'), custom_hooks=[
            dict(type='EarlyStoppingHook', monitor='bbox_mAP')])))
