# COCO names on COCO images: a small set, so as many passes as the published schedule, and no other data needed.
_base_ = [
    '../_base_/models/lgd.py', '../_base_/datasets/coco_unlabelled.py', '../_base_/schedules/lgd_sgd_200e.py',
    '../_base_/lgd_runtime.py'
]
model = dict(
    backbone=dict(type='mmpretrain.ResNet', depth=18, zero_init_residual=False), lgka=dict(categories='coco'))
