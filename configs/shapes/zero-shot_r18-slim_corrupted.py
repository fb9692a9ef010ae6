# The same images clean and corrupted, each with its top-1 and its calibration error: a corruption of each family at two
# severities, whose pixels are those of 224 px, and so harsher on these of 64.
_base_ = ['./zero-shot_r18-slim_shapes.py', '../_base_/quick_corruptions.py']
clean = _base_.test_dataloader.dataset
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='lgd_mm.CorruptedImages',
        dataset=dict(clean, pipeline=[clean.pipeline[0], _base_.corrupt, *clean.pipeline[1:]]),
        **_base_.quick_corruptions))
test_evaluator = dict(
    _delete_=True,
    type='lgd_mm.CorruptionMetric',
    metric=[_base_.test_evaluator, dict(type='lgd_mm.CalibrationError')],
    measures=['accuracy/top1', 'calibration/ece'])
