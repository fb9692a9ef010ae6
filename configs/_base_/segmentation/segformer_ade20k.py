# SegFormer's MLP head on ADE20K as upstream's of MiT-B0, with masks of 8 bits up to the loss; the student is missing.
_base_ = 'mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py'
custom_imports = dict(imports=['lgd_mm', 'lgd_mm.lean_mmseg'], allow_failed_imports=False)
model = dict(pretrained=None, data_preprocessor=dict(type='lgd_mm.SegDataPreProcessor'))
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='lgd_mm.PackSegInputs')]
test_pipeline = [*_base_.test_pipeline[:-1], dict(type='lgd_mm.PackSegInputs')]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='lgd_mm.IoUMetric')
test_evaluator = val_evaluator
auto_scale_lr = dict(enable=False, base_batch_size=16)
