# CompRess as its authors publish it, with LGD's teacher.
_base_ = './compress_r18_pretrain.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2'))
