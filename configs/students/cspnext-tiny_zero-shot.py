# CSPNeXt-tiny, filled from a checkpoint of LGD: zero-shot with the names of its pre-training.
_base_ = './cspnext-tiny_headless.py'
model = dict(type='lgd_mm.ZeroShotStudent', neck=dict(type='lgd_mm.MLPProjection'))
