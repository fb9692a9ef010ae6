# The linear probe, tested on clean and on corrupted images; it takes the place of the plain one in a suite.
_base_ = ['./linear_r18-slim_shapes.py', '../_base_/quick_corruptions.py']
clean = _base_.val_dataloader.dataset
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='lgd_mm.CorruptedImages',
        dataset=dict(clean, pipeline=[clean.pipeline[0], _base_.corrupt, *clean.pipeline[1:]]),
        **_base_.quick_corruptions))
test_dataloader = val_dataloader
val_evaluator = dict(
    _delete_=True,
    type='lgd_mm.CorruptionMetric',
    metric=[_base_.val_evaluator, dict(type='lgd_mm.CalibrationError')],
    measures=['accuracy/top1', 'calibration/ece'])
test_evaluator = val_evaluator
