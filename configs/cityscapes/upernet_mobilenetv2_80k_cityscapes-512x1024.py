# UPerNet on Cityscapes with a MobileNetV2 student: upstream's 80k schedule (4 GPUs x 2 images).
#   data/cityscapes/leftImg8bit/{train,val}/<city>/*_leftImg8bit.png
#   data/cityscapes/gtFine/{train,val}/<city>/*_gtFine_labelTrainIds.png
_base_ = ['mmseg::upernet/upernet_r50_4xb2-80k_cityscapes-512x1024.py', '../_base_/backbones/mobilenetv2_dense.py']
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
auto_scale_lr = dict(enable=False, base_batch_size=8)
