# The same images, by the name of their colour.
_base_ = './zero-shot_r18-slim_shapes.py'
colours = ['blue', 'green', 'orange', 'purple', 'red', 'yellow']
model = dict(categories=colours)
test_dataloader = dict(dataset=dict(ann_file='meta/zero_shot_colours.txt', metainfo=dict(classes=colours)))
