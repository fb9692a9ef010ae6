# Semantic FPN on ADE20K with a MobileNetV2 student: upstream's 160k schedule (4 GPUs x 4 images).
#   data/ade/ADEChallengeData2016/images/{training,validation}/*.jpg
#   data/ade/ADEChallengeData2016/annotations/{training,validation}/*.png    (0 = unlabelled, 1-150)
_base_ = ['../_base_/segmentation/sem-fpn_ade20k.py', '../_base_/backbones/mobilenetv2_dense.py']
model = dict(backbone=dict(_delete_=True, **_base_.backbone), neck=dict(in_channels=_base_.channels))
