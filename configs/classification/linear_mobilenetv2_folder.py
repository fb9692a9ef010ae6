# Linear probe of a MobileNetV2 student on any folder of classes: give --cfg-options model.head.num_classes=N
#   data/folder/{train,val}/<class>/*
_base_ = './linear_r18_folder.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2'))
