# A quarter-width ResNet-18 taught by the shipped teacher, with the names of the shapes, on unlabelled generated
# images of 64 px. Test and validation: zero-shot top-1 on images of one object.
#   work_dirs/quickstart/data/pretrain/*    work_dirs/quickstart/data/zero_shot/<shape>/*
_base_ = ['../_base_/models/lgd.py', '../_base_/lgd_runtime.py']
data_root = 'work_dirs/quickstart/data/'
shapes = ['circle', 'crescent', 'cross', 'diamond', 'ring', 'square', 'star', 'triangle']
model = dict(
    backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=16, base_channels=16),
    teacher=dict(
        _delete_=True,
        type='lgd_mm.OpenCLIPTeacher',
        model='local-dir:' + __import__('lgd_mm').__path__[0] + '/datasets/shapes/teacher'),
    lgka=dict(categories=shapes))

train_dataloader = dict(
    batch_size=128,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='lgd_mm.ViewSampler'),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='lgd_mm.UnlabelledImages',
        data_root=data_root,
        data_prefix=dict(img_path='pretrain'),
        pipeline=[
            dict(type='lgd_mm.LoadImage'),
            dict(type='RandomResizedCrop', scale=64, crop_ratio_range=(0.5, 1.0), backend='cv2'),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackInputs'),
        ]))
val_dataloader = dict(
    batch_size=200,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        data_prefix='zero_shot',
        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')]))
test_dataloader = val_dataloader
val_evaluator = dict(type='Accuracy', topk=(1, ))
test_evaluator = val_evaluator

# AdamW: a schedule this short is too short for the published SGD recipe.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=4e-3, weight_decay=0.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', by_epoch=True, begin=1, convert_to_iter_based=True),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=11, val_interval=2)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2),
    logger=dict(type='LoggerHook', interval=10))
