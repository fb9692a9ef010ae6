# Dense guidance and, beside the names, how alike the positions of an image are: after a second teacher that knows no
# text, a SimCLR network of the same images.
_base_ = './lgd-dense_r18-slim_shapes.py'
model = dict(
    dense=dict(
        structure=dict(
            teacher=dict(
                type='lgd_mm.BackboneTeacher',
                backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=16, base_channels=16),
                checkpoint='work_dirs/simclr_r18-slim_shapes/student.safetensors'))))
