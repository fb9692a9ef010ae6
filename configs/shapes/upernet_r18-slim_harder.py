# UPerNet on the harder world's images of 160 px; what has no name is background.
_base_ = ['./upernet_r18-slim_shapes.py', '../_base_/harder_world.py']
metainfo = dict(
    classes=('background', *_base_.harder.classes),
    palette=[[90, 90, 90]] + [[37 * k % 256, 91 * k % 256, 151 * k % 256] for k in range(1, 41)])
class_weight = [0.1] + 40 * [1.0]
dataset = dict(data_root=_base_.harder.data_root + 'ade/', metainfo=metainfo)
model = dict(
    data_preprocessor=dict(size=(160, 160)),
    decode_head=dict(num_classes=41, loss_decode=dict(class_weight=class_weight)),
    auxiliary_head=dict(num_classes=41, loss_decode=dict(class_weight=class_weight)))
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=20, T_max=380),
]
train_cfg = dict(max_iters=400, val_interval=400)
