# CSPNeXt-tiny, the backbone of RTMDet-tiny, with its normalisation.
_base_ = './r18_pretrain.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmdet.CSPNeXt',
        deepen_factor=0.167,
        widen_factor=0.375,
        norm_cfg=dict(type='BN'),
        act_cfg=dict(type='mmdet.SiLU', inplace=True)))
