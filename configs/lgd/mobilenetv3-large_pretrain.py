# MobileNetV3-Large.
_base_ = './r18_pretrain.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV3', arch='large'))
