# Dense guidance with a detector's own pyramid, as wide as that of mask-rcnn_r18-slim_fpn_shapes.py: it is in
# student.safetensors too, and begins the detector's.
_base_ = './lgd-dense_r18-slim_shapes.py'
model = dict(
    backbone=dict(out_indices=(0, 1, 2, 3)), dense=dict(pyramid=dict(type='lgd_mm.FPNProjection', channels=64)))
