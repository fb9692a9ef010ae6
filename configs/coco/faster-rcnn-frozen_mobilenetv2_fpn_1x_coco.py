# Faster R-CNN on the maps of a frozen MobileNetV2 student: COCO, upstream's 1x schedule (8 GPUs x 2 images).
_base_ = './faster-rcnn_mobilenetv2_fpn_1x_coco.py'
frozen_backbone = True
