# Any timm backbone: choose with --cfg-options model.backbone.model_name=NAME
_base_ = './r18_pretrain.py'
model = dict(backbone=dict(_delete_=True, type='lgd_mm.TIMMBackbone', model_name='ghostnet_100'))
