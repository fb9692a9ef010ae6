# Zero-shot on ImageNet with a MobileNetV2 student: tools/test.py CONFIG CHECKPOINT
#   data/imagenet/val/<wnid>/*.JPEG
_base_ = './zero-shot_r18_imagenet.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2'))
