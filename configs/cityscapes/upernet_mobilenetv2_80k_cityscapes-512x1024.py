# UPerNet on Cityscapes with a MobileNetV2 student: upstream's 80k schedule (4 GPUs x 2 images).
#   data/cityscapes/leftImg8bit/{train,val}/<city>/*_leftImg8bit.png
#   data/cityscapes/gtFine/{train,val}/<city>/*_gtFine_labelTrainIds.png
_base_ = ['../_base_/segmentation/upernet_cityscapes.py', '../_base_/backbones/mobilenetv2_dense.py']
model = dict(
    backbone=dict(_delete_=True, **_base_.backbone),
    decode_head=dict(in_channels=_base_.channels),
    auxiliary_head=dict(in_channels=_base_.channels[2]))
