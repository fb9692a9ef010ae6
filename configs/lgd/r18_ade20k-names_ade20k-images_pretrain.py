# ADE20K names on ADE20K images: a small set, so as many passes as the published schedule, and no other data needed.
_base_ = [
    '../_base_/models/lgd.py', '../_base_/datasets/ade20k_unlabelled.py', '../_base_/schedules/lgd_sgd_200e.py',
    '../_base_/lgd_runtime.py'
]
model = dict(
    backbone=dict(type='mmpretrain.ResNet', depth=18, zero_init_residual=False), lgka=dict(categories='ade20k'))
