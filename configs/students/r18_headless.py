# ResNet-18, filled from an exported student: pooled features.
_base_ = '../_base_/student.py'
model = dict(type='lgd_mm.HeadlessStudent', backbone=dict(type='mmpretrain.ResNet', depth=18, zero_init_residual=False))
