# Faster R-CNN on COCO with a MobileNetV2 student: upstream's 1x schedule (8 GPUs x 2 pictures), whole backbone trained.
#   data/coco/annotations/instances_{train,val}2017.json    data/coco/{train,val}2017/*.jpg
_base_ = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(
    backbone=dict(
        _delete_=True,
        type='lgd_mm.MobileNetV2',
        out_indices=(1, 2, 4, 6),  # strides 4, 8, 16, 32
        frozen_stages=-1,
        norm_cfg=dict(type='SyncBN'),
        norm_eval=False),
    neck=dict(in_channels=[24, 32, 96, 320]))
