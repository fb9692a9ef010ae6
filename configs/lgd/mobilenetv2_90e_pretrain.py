# The published short run.
_base_ = './r18_90e_pretrain.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2'))
