# Linear probe of a ResNet-18 student on Caltech-256.
#   data/caltech256/{train,val}/<class>/*.jpg
_base_ = ['../_base_/linear_probe.py', '../_base_/datasets/caltech256.py']
model = dict(head=dict(num_classes=256))
train_dataloader = dict(batch_size=256)
