# Linear probe of segmentation: batch norm and a 1x1 convolution on the last map of a frozen MobileNetV2 student
# (4 GPUs x 4 images).
#   data/ade/ADEChallengeData2016/images/{training,validation}/*.jpg
#   data/ade/ADEChallengeData2016/annotations/{training,validation}/*.png    (0 = unlabelled, 1-150)
_base_ = ['../_base_/segmentation/linear_ade20k.py', '../_base_/backbones/mobilenetv2_dense.py']
model = dict(backbone=dict(_delete_=True, **_base_.backbone), decode_head=dict(in_channels=_base_.channels[3]))
