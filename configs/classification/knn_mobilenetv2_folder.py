# k-NN with a MobileNetV2 student on any folder of classes: give --cfg-options model.num_classes=N
#   data/folder/{train,val}/<class>/*
_base_ = './knn_r18_folder.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2'))
