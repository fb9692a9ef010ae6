# Zero-shot classification by the names of the 40 categories.
_base_ = ['./zero-shot_r18-slim_shapes.py', '../_base_/harder_world.py']
model = dict(teacher=dict(model=_base_.harder.teacher), categories=_base_.harder.classes)
test_dataloader = dict(
    dataset=dict(data_root=_base_.harder.data_root, metainfo=dict(classes=_base_.harder.classes)))
