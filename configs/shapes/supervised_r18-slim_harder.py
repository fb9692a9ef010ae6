# The supervised rival: the categories of 4,000 labelled images.
_base_ = ['./supervised_r18-slim_shapes.py', '../_base_/harder_world.py']
model = dict(head=dict(num_classes=40))
data_preprocessor = dict(num_classes=40)
train_dataloader = dict(dataset=dict(data_root=_base_.harder.data_root))
val_dataloader = dict(dataset=dict(data_root=_base_.harder.data_root))
test_dataloader = val_dataloader
