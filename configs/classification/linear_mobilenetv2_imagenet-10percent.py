# Linear probe of a MobileNetV2 student on 10 % of ImageNet's labels.
#   data/imagenet/{train,val}/<wnid>/*.JPEG    data/imagenet/meta/train_10percent.txt
_base_ = './linear_r18_imagenet-10percent.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2'))
