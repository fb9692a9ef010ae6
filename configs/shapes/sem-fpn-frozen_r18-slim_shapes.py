# Semantic FPN on all maps of the frozen student, with 64 channels in place of 256.
_base_ = './upernet_r18-slim_shapes.py'
frozen_backbone = True
model = dict(
    neck=dict(type='FPN', in_channels=[16, 32, 64, 128], out_channels=64, num_outs=4),
    decode_head=dict(
        _delete_=True,
        type='FPNHead',
        in_channels=[64, 64, 64, 64],
        in_index=[0, 1, 2, 3],
        feature_strides=[4, 8, 16, 32],
        channels=32,
        num_classes=9,
        norm_cfg=dict(type='BN'),
        loss_decode=dict(type='CrossEntropyLoss', class_weight=_base_.class_weight)),
    auxiliary_head=None)
