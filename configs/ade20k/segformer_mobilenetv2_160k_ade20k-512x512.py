# SegFormer's head on ADE20K with a MobileNetV2 student: upstream's 160k schedule (8 GPUs x 2 images).
#   data/ade/ADEChallengeData2016/images/{training,validation}/*.jpg
#   data/ade/ADEChallengeData2016/annotations/{training,validation}/*.png    (0 = unlabelled, 1-150)
_base_ = ['../_base_/segmentation/segformer_ade20k.py', '../_base_/backbones/mobilenetv2_dense.py']
model = dict(backbone=dict(_delete_=True, **_base_.backbone), decode_head=dict(in_channels=_base_.channels))
