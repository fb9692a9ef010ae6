# Retrieval with a ResNet-18 student: each validation image of a folder of classes seeks the others of
# its class: give --cfg-options model.num_classes=N
_base_ = './knn_r18_folder.py'
val_evaluator = [_base_.val_evaluator, dict(type='lgd_mm.RetrievalMAP')]
