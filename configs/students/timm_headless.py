# Any timm backbone, filled from an exported student: pooled features. Which one is said at the call:
#   mmpretrain.get_model('lgd-timm_headless', pretrained=FILE, backbone=dict(model_name=NAME))
_base_ = '../_base_/student.py'
model = dict(type='lgd_mm.HeadlessStudent', backbone=dict(type='lgd_mm.TIMMBackbone', model_name='ghostnet_100'))
