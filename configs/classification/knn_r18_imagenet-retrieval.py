# Retrieval with a ResNet-18 student: each validation image of ImageNet seeks the others of its class
_base_ = './knn_r18_imagenet.py'
val_evaluator = [_base_.val_evaluator, dict(type='lgd_mm.RetrievalMAP')]
