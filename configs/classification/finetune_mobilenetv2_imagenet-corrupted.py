# A fine-tuned classifier on ImageNet val, clean and in the 75 forms of ImageNet-C, made on the fly behind the crop,
# and its calibration on each. Run with tools/test.py CONFIG CHECKPOINT, the checkpoint of the plain config.
_base_ = './finetune_mobilenetv2_imagenet.py'
clean = _base_.test_dataloader.dataset
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='lgd_mm.CorruptedImages',
        dataset=dict(clean, pipeline=[*clean.pipeline[:-1], dict(type='lgd_mm.Corrupt'), clean.pipeline[-1]])))
test_evaluator = dict(
    _delete_=True,
    type='lgd_mm.CorruptionMetric',
    metric=[_base_.test_evaluator, dict(type='lgd_mm.CalibrationError')],
    measures=['accuracy/top1', 'calibration/ece'])
