# MobileNetV2 from CLIP RN50 with ImageNet names on ImageNet images: the published run, 8 GPUs x 256 images.
_base_ = './r18_pretrain.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2'))
