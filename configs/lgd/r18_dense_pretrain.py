# ResNet-18, the names read at every position as well as once for each image: maps of stride 8, 16 and 32 of the
# student against CLIP's of stride 16.
_base_ = './r18_pretrain.py'
model = dict(
    backbone=dict(out_indices=(1, 2, 3)),
    teacher=dict(dense_stride=16),
    dense=dict(type='lgd_mm.DenseGuidance', mimicking=0.5))
