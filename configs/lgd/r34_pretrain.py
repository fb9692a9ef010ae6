# ResNet-34.
_base_ = './r18_pretrain.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.ResNet', depth=34, zero_init_residual=False))
