# Mask R-CNN on COCO val, clean and under 15 corruptions of five severities. All masks stay in memory until the last one
# is there; to need less: --cfg-options test_dataloader.dataset.corruptions="[noise]", then blur, weather and digital.
_base_ = './mask-rcnn_r18_fpn_1x_coco.py'
pipeline = [_base_.test_pipeline[0], dict(type='lgd_mm.Corrupt'), *_base_.test_pipeline[1:]]
test_dataloader = dict(
    dataset=dict(
        _delete_=True, type='lgd_mm.CorruptedImages', dataset=dict(_base_.test_dataloader.dataset, pipeline=pipeline)))
test_evaluator = dict(
    _delete_=True,
    type='lgd_mm.CorruptionMetric',
    metric=_base_.test_evaluator,
    measures=['coco/bbox_mAP', 'coco/segm_mAP'])
