# Linear probe of a MobileNetV2 student on 1 % of ImageNet's labels.
#   data/imagenet/{train,val}/<wnid>/*.JPEG    data/imagenet/meta/train_1percent.txt
_base_ = './linear_r18_imagenet-1percent.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2'))
