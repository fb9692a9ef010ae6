# Linear probe of a ResNet-18 student on ImageNet.
#   data/imagenet/{train,val}/<wnid>/*.JPEG
_base_ = ['../_base_/linear_probe.py', 'mmpretrain::_base_/datasets/imagenet_bs32_pil_resize.py']
train_dataloader = dict(batch_size=256)
val_dataloader = dict(batch_size=256)
test_dataloader = val_dataloader
