# The student trained on with the shapes of 10 images of each, in 250 steps of 16.
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
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))
train_cfg = dict(max_epochs=50, val_interval=50)
default_hooks = dict(checkpoint=dict(interval=10))
