# CSPNeXt-tiny, filled from an exported student: pooled features.
_base_ = '../_base_/student.py'
model = dict(
    type='lgd_mm.HeadlessStudent',
    backbone=dict(
        type='mmdet.CSPNeXt',
        deepen_factor=0.167,
        widen_factor=0.375,
        norm_cfg=dict(type='BN'),
        act_cfg=dict(type='mmdet.SiLU', inplace=True)))
