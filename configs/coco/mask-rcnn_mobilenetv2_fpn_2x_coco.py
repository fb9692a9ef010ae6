# Mask R-CNN on COCO with a MobileNetV2 student: upstream's 2x schedule (8 GPUs x 2 images).
#   data/coco/annotations/instances_{train,val}2017.json    data/coco/{train,val}2017/*.jpg
_base_ = './mask-rcnn_mobilenetv2_fpn_1x_coco.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', begin=0, end=24, by_epoch=True, milestones=[16, 22], gamma=0.1)
]
train_cfg = dict(max_epochs=24)
