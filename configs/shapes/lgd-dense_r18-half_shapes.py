# The same with half of ResNet-18's width, for fewer epochs: it begins the teacher's detector of the vision-language
# suite.
_base_ = './lgd-dense_r18-slim_shapes.py'
model = dict(backbone=dict(stem_channels=32, base_channels=32))
train_cfg = dict(max_epochs=4)
