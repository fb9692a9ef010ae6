# k-NN with a ResNet-18 student on Caltech-256.
#   data/caltech256/{train,val}/<class>/*.jpg
_base_ = ['../_base_/knn.py', '../_base_/datasets/caltech256.py']
model = dict(num_classes=256)
train_dataloader = dict(
    batch_size=256, sampler=dict(shuffle=False, round_up=False), dataset=dict(pipeline=_base_.test_pipeline))
val_dataloader = dict(batch_size=256)
test_dataloader = None
test_evaluator = None
