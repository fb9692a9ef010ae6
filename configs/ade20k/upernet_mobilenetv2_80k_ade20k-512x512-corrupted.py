# UPerNet on ADE20K val, clean and under 15 corruptions of five severities: 76 x 2,000 images. Run with tools/test.py
# CONFIG CHECKPOINT, where the checkpoint is of the plain config.
_base_ = './upernet_mobilenetv2_80k_ade20k-512x512.py'
pipeline = [_base_.test_pipeline[0], dict(type='lgd_mm.Corrupt'), *_base_.test_pipeline[1:]]
test_dataloader = dict(
    dataset=dict(
        _delete_=True, type='lgd_mm.CorruptedImages', dataset=dict(_base_.test_dataloader.dataset, pipeline=pipeline)))
test_evaluator = dict(_delete_=True, type='lgd_mm.CorruptionMetric', metric=_base_.test_evaluator, measures='mIoU')
