# RTMDet-Ins-s on COCO with a CSPNeXt-s student: upstream's 300 epochs (8 GPUs x 32 images), all of it trained.
#   data/coco/annotations/instances_{train,val}2017.json    data/coco/{train,val}2017/*.jpg
_base_ = ['../_base_/detection/rtmdet-ins_s_coco.py', '../_base_/backbones/cspnext-s_dense.py']
model = dict(backbone=dict(_delete_=True, **_base_.backbone), neck=dict(in_channels=_base_.channels))
