# MobileNetV2.
_base_ = './r18_dense_pretrain.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2', out_indices=(2, 4, 7)))
