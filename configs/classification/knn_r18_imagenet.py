# k-NN with a ResNet-18 student on ImageNet.
#   data/imagenet/{train,val}/<wnid>/*.JPEG
_base_ = ['../_base_/knn.py', 'mmpretrain::_base_/datasets/imagenet_bs32_pil_resize.py']
train_dataloader = dict(
    batch_size=256, sampler=dict(shuffle=False, round_up=False), dataset=dict(pipeline=_base_.test_pipeline))
val_dataloader = dict(batch_size=256)
test_dataloader = None
test_evaluator = None
