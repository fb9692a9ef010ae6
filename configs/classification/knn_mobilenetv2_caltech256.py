# k-NN with a MobileNetV2 student on Caltech-256.
#   data/caltech256/{train,val}/<class>/*.jpg
_base_ = './knn_r18_caltech256.py'
model = dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2'))
