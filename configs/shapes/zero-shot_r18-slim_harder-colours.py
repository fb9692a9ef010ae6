# The same images, by the name of their colour.
_base_ = ['./zero-shot_r18-slim_colours.py', '../_base_/harder_world.py']
model = dict(teacher=dict(model=_base_.harder.teacher))
test_dataloader = dict(dataset=dict(data_root=_base_.harder.data_root))
