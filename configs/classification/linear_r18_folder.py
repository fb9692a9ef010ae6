# Linear probe of a ResNet-18 student on any folder of classes: give --cfg-options model.head.num_classes=N
#   data/folder/{train,val}/<class>/*
_base_ = ['../_base_/linear_probe.py', '../_base_/datasets/image_folder.py']
train_dataloader = dict(batch_size=256)
