# The same student, on the harder world's images, with its names: those of its categories, of things that never occur
# and of some backgrounds. Test and validation: zero-shot top-1 among all of them.
_base_ = ['./lgd_r18-slim_shapes.py', '../_base_/harder_world.py']
model = dict(teacher=dict(model=_base_.harder.teacher), lgka=dict(categories=_base_.harder.names))
train_dataloader = dict(dataset=dict(data_root=_base_.harder.data_root))
val_dataloader = dict(dataset=dict(data_root=_base_.harder.data_root))
test_dataloader = val_dataloader
