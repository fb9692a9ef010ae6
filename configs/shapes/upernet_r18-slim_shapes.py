# The ADE20K config with a quarter-width ResNet-18 and heads of 64 channels, on generated images of 128 px.
#   work_dirs/quickstart/data/ade/{images,annotations}/{training,validation}/
_base_ = '../ade20k/upernet_r18_80k_ade20k-512x512.py'
data_root = 'work_dirs/quickstart/data/ade/'
norm_cfg = dict(type='BN', requires_grad=True)
metainfo = dict(
    classes=('background', 'circle', 'crescent', 'cross', 'diamond', 'ring', 'square', 'star', 'triangle'),
    palette=[[90, 90, 90], [230, 25, 75], [60, 180, 75], [255, 225, 25], [0, 130, 200], [245, 130, 48], [145, 30, 180],
             [70, 240, 240], [240, 50, 230]])
class_weight = [0.1] + 8 * [1.0]  # nine pixels in ten are background
model = dict(
    data_preprocessor=dict(size=(128, 128)),
    backbone=dict(stem_channels=16, base_channels=16, norm_cfg=norm_cfg),
    decode_head=dict(
        in_channels=[16, 32, 64, 128],
        channels=64,
        num_classes=9,
        norm_cfg=norm_cfg,
        loss_decode=dict(class_weight=class_weight)),
    auxiliary_head=dict(
        in_channels=64, channels=32, num_classes=9, norm_cfg=norm_cfg, loss_decode=dict(class_weight=class_weight)))

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', reduce_zero_label=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='lgd_mm.PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', reduce_zero_label=True),
    dict(type='lgd_mm.PackSegInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(
        type='BaseSegDataset',
        data_root=data_root,
        metainfo=metainfo,
        reduce_zero_label=True,
        img_suffix='.jpg',
        seg_map_suffix='.png',
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(
        type='BaseSegDataset',
        data_root=data_root,
        metainfo=metainfo,
        reduce_zero_label=True,
        img_suffix='.jpg',
        seg_map_suffix='.png',
        pipeline=test_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.05))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=20, T_max=280),
]
train_cfg = dict(max_iters=300, val_interval=300)
default_hooks = dict(
    logger=dict(interval=10), checkpoint=dict(interval=50, max_keep_ckpts=2))
randomness = dict(seed=0)
