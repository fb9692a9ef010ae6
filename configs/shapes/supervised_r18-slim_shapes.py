# A supervised rival: the shapes of 4,000 labelled images, as many steps of 128 as LGD takes.
#   work_dirs/quickstart/data/labelled/<shape>/*    work_dirs/quickstart/data/zero_shot/<shape>/*
_base_ = './lgd_r18-slim_shapes.py'
model = dict(
    _delete_=True,
    type='mmpretrain.ImageClassifier',
    backbone=_base_.model.backbone,
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(
        type='mmpretrain.LinearClsHead',
        in_channels=128,
        num_classes=8,
        loss=dict(type='mmpretrain.CrossEntropyLoss'),
        topk=(1, )))
data_preprocessor = dict(
    num_classes=8, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
train_dataloader = dict(
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root=_base_.data_root,
        data_prefix='labelled',
        pipeline=[dict(type='LoadImageFromFile'), *_base_.train_dataloader.dataset.pipeline[1:]]))
train_cfg = dict(max_epochs=33, val_interval=11)
custom_hooks = [
    dict(type='lgd_mm.PreciseBNHook'), dict(type='lgd_mm.ExportStudentHook'), dict(type='lgd_mm.ReportHook')
]
