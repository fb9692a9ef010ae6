# MobileNetV2 as published, from the same cache as ResNet-18.
_base_ = './mobilenetv2_pretrain.py'
cache = 'data/caches/imagenet_rn50'
model = dict(teacher=dict(_delete_=True, type='lgd_mm.CachedTeacher', cache=cache))
train_dataloader = dict(dataset=dict(type='lgd_mm.CachedImages', cache=cache))
