# The teacher's detector: twice as wide, and its features of 512 numbers.
_base_ = './mask-rcnn_r18-slim_fpn_vl.py'
model = dict(
    backbone=dict(stem_channels=32, base_channels=32),
    neck=dict(in_channels=[32, 64, 128, 256]),
    roi_head=dict(bbox_head=dict(fc_out_channels=512)))
