# RTMDet-tiny on COCO with a ResNet-18 student: upstream's 300 epochs (8 GPUs x 32 images), all of it trained.
#   data/coco/annotations/instances_{train,val}2017.json    data/coco/{train,val}2017/*.jpg
_base_ = ['../_base_/detection/rtmdet_tiny_coco.py', '../_base_/backbones/r18_dense.py']
model = dict(  # without the map of stride 4
    backbone=dict(_delete_=True, **{**_base_.backbone, 'out_indices': _base_.backbone.out_indices[1:]}),
    neck=dict(in_channels=_base_.channels[1:]))
