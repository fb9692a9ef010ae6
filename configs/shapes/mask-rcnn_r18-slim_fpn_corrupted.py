# Mask R-CNN, tested on clean and on corrupted images; it takes the place of the plain one in a suite.
_base_ = ['./mask-rcnn_r18-slim_fpn_shapes.py', '../_base_/quick_corruptions.py']
pipeline = [_base_.test_pipeline[0], _base_.corrupt, *_base_.test_pipeline[1:]]
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='lgd_mm.CorruptedImages',
        dataset=dict(_base_.val_dataloader.dataset, pipeline=pipeline),
        **_base_.quick_corruptions))
test_dataloader = val_dataloader
val_evaluator = dict(
    _delete_=True,
    type='lgd_mm.CorruptionMetric',
    metric=_base_.val_evaluator,
    measures=['coco/bbox_mAP', 'coco/segm_mAP'])
test_evaluator = val_evaluator
