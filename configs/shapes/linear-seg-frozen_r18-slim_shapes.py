# Linear probe of segmentation: batch norm and a 1x1 convolution on the last map of the frozen student.
_base_ = './upernet_r18-slim_shapes.py'
frozen_backbone = True
model = dict(
    decode_head=dict(
        _delete_=True,
        type='lgd_mm.LinearSegHead',
        in_channels=128,
        in_index=3,
        num_classes=9,
        norm_cfg=dict(type='BN'),
        loss_decode=dict(type='CrossEntropyLoss', class_weight=_base_.class_weight)),
    auxiliary_head=None)
