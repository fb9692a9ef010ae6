# Mask R-CNN on COCO with a ResNet-18 student: upstream's 1x schedule (8 GPUs x 2 pictures), whole backbone trained.
#   data/coco/annotations/instances_{train,val}2017.json    data/coco/{train,val}2017/*.jpg
_base_ = 'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py'
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.ResNet',
        depth=18,
        out_indices=(0, 1, 2, 3),
        frozen_stages=-1,
        norm_cfg=dict(type='SyncBN'),
        norm_eval=False),
    neck=dict(in_channels=[64, 128, 256, 512]))
