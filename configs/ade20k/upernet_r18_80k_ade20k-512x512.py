# UPerNet on ADE20K with a ResNet-18 student: upstream's 80k schedule (4 GPUs x 4 images).
_base_ = './upernet_r18_160k_ade20k-512x512.py'
param_scheduler = [dict(type='PolyLR', eta_min=1e-4, power=0.9, begin=0, end=80000, by_epoch=False)]
train_cfg = dict(max_iters=80000, val_interval=8000)
default_hooks = dict(checkpoint=dict(interval=8000))
