# Linear probe of any timm student on ImageNet: choose with --cfg-options model.backbone.model_name=NAME
#   data/imagenet/{train,val}/<wnid>/*.JPEG
_base_ = './linear_r18_imagenet.py'
model = dict(backbone=dict(_delete_=True, type='lgd_mm.TIMMBackbone', model_name='ghostnet_100'))
