# The student trained on with the shapes of 10 images of each: the recipe of fine-tuning on a folder
# (../_base_/schedules/finetune_sgd_100e.py), with its rate for batches of 16.
_base_ = './linear_r18-slim_shapes.py'
model = dict(
    _delete_=True,
    type='ImageClassifier',
    backbone=_base_.model.backbone,
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=128, num_classes=8, loss=dict(type='CrossEntropyLoss'), topk=(1, )))
train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        _delete_=True,
        type='lgd_mm.FewLabels',
        shots=10,
        draw=0,
        dataset=dict(
            type='CustomDataset',
            data_root=_base_.data_root,
            data_prefix='labelled',
            ann_file='meta/probe_shapes.txt',
            metainfo=dict(classes=_base_.classes),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='RandomResizedCrop', scale=64, crop_ratio_range=(0.5, 1.0), backend='cv2'),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackInputs'),
            ])))
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='SGD', lr=0.1 * 16 / 256, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'head.fc': dict(lr_mult=10)}))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', T_max=95, by_epoch=True, begin=5, end=100, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=100, val_interval=100)
default_hooks = dict(checkpoint=dict(interval=20))
