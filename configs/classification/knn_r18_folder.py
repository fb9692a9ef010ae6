# k-NN with a ResNet-18 student on any folder of classes: give --cfg-options model.num_classes=N
#   data/folder/{train,val}/<class>/*
_base_ = ['../_base_/knn.py', '../_base_/datasets/image_folder.py']
train_dataloader = dict(
    batch_size=256, sampler=dict(shuffle=False, round_up=False), dataset=dict(pipeline=_base_.test_pipeline))
val_dataloader = dict(batch_size=256)
test_dataloader = None
test_evaluator = None
