# One layer on a frozen ResNet-18: the published settings, 8 GPUs x 256 pictures, SGD with a rate of 30 x batch / 256.
_base_ = [
    'mmpretrain::_base_/schedules/imagenet_sgd_steplr_100e.py', 'mmpretrain::_base_/default_runtime.py'
]
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(
    type='lgd_mm.LinearProbe',
    backbone=dict(type='mmpretrain.ResNet', depth=18),
    head=dict(type='LinearClsHead', num_classes=1000))
optim_wrapper = dict(optimizer=dict(lr=240., weight_decay=0.))
auto_scale_lr = dict(base_batch_size=2048)
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=3))
randomness = dict(seed=0)
