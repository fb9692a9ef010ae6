# Faster R-CNN on the maps of a frozen ResNet-18 student: COCO, upstream's 1x schedule (8 GPUs x 2 images).
_base_ = './faster-rcnn_r18_fpn_1x_coco.py'
frozen_backbone = True
