# Mask R-CNN on LVIS v1 with a ResNet-18 student: upstream's 1x schedule (8 GPUs x 2 images).
# Images of rare categories are shown more often.
#   data/coco/annotations/lvis_v1_{train,val}.json    data/coco/{train,val}2017/*.jpg
_base_ = ['../_base_/detection/mask-rcnn_lvis-v1.py', '../_base_/backbones/r18_dense.py']
model = dict(backbone=dict(_delete_=True, **_base_.backbone), neck=dict(in_channels=_base_.channels))
