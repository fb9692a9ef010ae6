# One layer on a frozen ResNet-18: the published settings, 8 GPUs x 256 images, SGD with a rate of 30 x batch / 256,
# which is reached from 30 in the first five epochs.
_base_ = [
    'mmpretrain::_base_/schedules/imagenet_sgd_steplr_100e.py', 'mmpretrain::_base_/default_runtime.py'
]
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(
    type='lgd_mm.LinearProbe',
    backbone=dict(type='mmpretrain.ResNet', depth=18),
    head=dict(type='LinearClsHead', num_classes=1000))
optim_wrapper = dict(optimizer=dict(lr=240., weight_decay=0.))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.125, by_epoch=True, begin=0, end=6),
    dict(type='MultiStepLR', by_epoch=True, milestones=[60, 80], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=2048)
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=3))
randomness = dict(seed=0)
