# The published short run.
_base_ = './r18_pretrain.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.125, by_epoch=True, begin=0, end=6),
    dict(type='CosineAnnealingLR', T_max=90, by_epoch=True),
]
train_cfg = dict(max_epochs=90)
