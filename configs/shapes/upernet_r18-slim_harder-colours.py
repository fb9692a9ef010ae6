# The same images, segmented by colour; what has no name is left out of the loss and of the metric.
_base_ = ['./upernet_r18-slim_colours.py', '../_base_/harder_world.py']
dataset = dict(data_root=_base_.harder.data_root + 'ade/')
model = dict(data_preprocessor=dict(size=(160, 160)))
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader
