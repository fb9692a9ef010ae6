# SEED in the place of LGD.
_base_ = ['./seed_r18-slim_shapes.py', '../_base_/harder_world.py']
model = dict(teacher=dict(model=_base_.harder.teacher))
train_dataloader = dict(dataset=dict(data_root=_base_.harder.data_root))
