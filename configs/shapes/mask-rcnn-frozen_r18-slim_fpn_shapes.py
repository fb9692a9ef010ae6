# Mask R-CNN on the maps of the frozen student.
_base_ = './mask-rcnn_r18-slim_fpn_shapes.py'
frozen_backbone = True
