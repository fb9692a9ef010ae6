# EfficientNet-B0, filled from an exported student: pooled features.
_base_ = '../_base_/student.py'
model = dict(type='lgd_mm.HeadlessStudent', backbone=dict(type='mmpretrain.EfficientNet', arch='b0'))
