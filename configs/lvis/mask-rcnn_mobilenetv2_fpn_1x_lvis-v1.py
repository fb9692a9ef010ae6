# Mask R-CNN on LVIS v1 with a MobileNetV2 student: upstream's 1x schedule (8 GPUs x 2 images).
# Images of rare categories are shown more often.
#   data/coco/annotations/lvis_v1_{train,val}.json    data/coco/{train,val}2017/*.jpg
_base_ = ['mmdet::lvis/mask-rcnn_r50_fpn_sample1e-3_ms-1x_lvis-v1.py', '../_base_/backbones/mobilenetv2_dense.py']
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(backbone=dict(_delete_=True, **_base_.backbone), neck=dict(in_channels=_base_.channels))

data_root = 'data/coco/'
train_dataloader = dict(dataset=dict(dataset=dict(data_root=data_root)))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/lvis_v1_val.json')
test_evaluator = val_evaluator
