# The same images, with the labels of their colours.
_base_ = './linear_r18-slim_shapes.py'
classes = ['blue', 'green', 'orange', 'purple', 'red', 'yellow']
model = dict(head=dict(num_classes=6))
data_preprocessor = dict(num_classes=6)
train_dataloader = dict(dataset=dict(ann_file='meta/probe_colours.txt', metainfo=dict(classes=classes)))
val_dataloader = dict(dataset=dict(ann_file='meta/zero_shot_colours.txt', metainfo=dict(classes=classes)))
test_dataloader = val_dataloader
