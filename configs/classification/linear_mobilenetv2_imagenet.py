# Linear probe of a MobileNetV2 student on ImageNet.
#   data/imagenet/{train,val}/<wnid>/*.JPEG
_base_ = './linear_r18_imagenet.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2'))
