# Caltech-256, without the clutter.
#   data/caltech256/train/<class>/*.jpg    data/caltech256/val/<class>/*.jpg
_base_ = './image_folder.py'
data_root = 'data/caltech256/'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
