# Linear probe: one layer on the frozen student, trained with the shapes of 1,000 labelled images.
#   work_dirs/quickstart/data/{labelled,zero_shot}/<shape>/*    work_dirs/quickstart/data/meta/*_shapes.txt
_base_ = ['../_base_/lgd_runtime.py']
data_root = 'work_dirs/quickstart/data/'
classes = ['circle', 'crescent', 'cross', 'diamond', 'ring', 'square', 'star', 'triangle']
model = dict(
    type='lgd_mm.LinearProbe',
    backbone=dict(type='ResNet', depth=18, stem_channels=16, base_channels=16),
    head=dict(type='LinearClsHead', num_classes=8, loss=dict(type='CrossEntropyLoss'), topk=(1, )))
data_preprocessor = dict(num_classes=8, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)

pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
train_dataloader = dict(
    batch_size=100,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        data_prefix='labelled',
        ann_file='meta/probe_shapes.txt',
        metainfo=dict(classes=classes),
        pipeline=pipeline))
val_dataloader = dict(
    batch_size=200,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        data_prefix='zero_shot',
        ann_file='meta/zero_shot_shapes.txt',
        metainfo=dict(classes=classes),
        pipeline=pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='Accuracy', topk=(1, ))
test_evaluator = val_evaluator

optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-2, weight_decay=0))
param_scheduler = dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True)
train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=20)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(logger=dict(interval=10))
custom_hooks = None
