# UPerNet on ADE20K with a MobileNetV2 student: upstream's 160k schedule (4 GPUs x 4 images).
#   data/ade/ADEChallengeData2016/images/{training,validation}/*.jpg
#   data/ade/ADEChallengeData2016/annotations/{training,validation}/*.png    (0 = unlabelled, 1-150)
_base_ = ['mmseg::upernet/upernet_r50_4xb4-160k_ade20k-512x512.py', '../_base_/backbones/mobilenetv2_dense.py']
custom_imports = dict(imports=['lgd_mm', 'lgd_mm.lean_mmseg'], allow_failed_imports=False)
model = dict(
    pretrained=None,
    data_preprocessor=dict(type='lgd_mm.SegDataPreProcessor'),
    backbone=dict(_delete_=True, **_base_.backbone),
    decode_head=dict(in_channels=_base_.channels),
    auxiliary_head=dict(in_channels=_base_.channels[2]))
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='lgd_mm.PackSegInputs')]
test_pipeline = [*_base_.test_pipeline[:-1], dict(type='lgd_mm.PackSegInputs')]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='lgd_mm.IoUMetric')
test_evaluator = val_evaluator
auto_scale_lr = dict(enable=False, base_batch_size=16)
