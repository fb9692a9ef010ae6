# ATSS on COCO with a ResNet-18 student: upstream's 1x schedule (8 GPUs x 2 images), whole backbone trained.
#   data/coco/annotations/instances_{train,val}2017.json    data/coco/{train,val}2017/*.jpg
_base_ = ['mmdet::atss/atss_r50_fpn_1x_coco.py', '../_base_/backbones/r18_dense.py']
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(backbone=dict(_delete_=True, **_base_.backbone), neck=dict(in_channels=_base_.channels))
