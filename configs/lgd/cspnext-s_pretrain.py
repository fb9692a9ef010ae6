# CSPNeXt-s, the backbone of RTMDet-s.
_base_ = './cspnext-tiny_pretrain.py'
model = dict(backbone=dict(deepen_factor=0.33, widen_factor=0.5))
