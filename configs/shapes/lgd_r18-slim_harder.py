# The same student, on the harder world's images, with its names: those of its categories, of things that never occur
# and of some backgrounds.
_base_ = ['./lgd_r18-slim_shapes.py', '../_base_/harder_world.py']
model = dict(teacher=dict(model=_base_.harder.teacher), lgka=dict(categories=_base_.harder.names))
train_dataloader = dict(dataset=dict(data_root=_base_.harder.data_root))
val_dataloader = None  # zero-shot_r18-slim_harder.py tests the student by the names of the categories alone
val_evaluator = None
val_cfg = None
test_dataloader = None
test_evaluator = None
test_cfg = None
