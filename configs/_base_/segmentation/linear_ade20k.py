# Linear probe of segmentation on ADE20K, with the schedule of DINOv2's (arXiv 2304.07193, Sec. 7.4): AdamW, 40k steps
# of 16 images, a linear warm-up, then linear to zero. The student, which is frozen, is missing.
_base_ = './upernet_ade20k.py'
frozen_backbone = True
model = dict(
    decode_head=dict(_delete_=True, type='lgd_mm.LinearSegHead', in_channels=512, in_index=3, num_classes=150),
    auxiliary_head=None)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, betas=(0.9, 0.999), weight_decay=1e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=1500),
    dict(type='PolyLR', eta_min=0.0, power=1.0, by_epoch=False, begin=1500, end=40000),
]
train_cfg = dict(max_iters=40000, val_interval=4000)
default_hooks = dict(checkpoint=dict(interval=4000))
