# The same with the 40 categories of the harder world, and all 4,000 labelled images: a hundred of each.
_base_ = ['./linear_r18-slim_shapes.py', '../_base_/harder_world.py']
model = dict(head=dict(num_classes=40))
data_preprocessor = dict(num_classes=40)
dataset = dict(data_root=_base_.harder.data_root, metainfo=dict(classes=_base_.harder.classes))
train_dataloader = dict(dataset=dict(dataset, ann_file='meta/labelled_shapes.txt'))
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader
