# ResNet-50.
_base_ = './r18_pretrain.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.ResNet', depth=50, zero_init_residual=False))
