# SGD for 200 epochs, lr 0.03 x batch / 256 with 8 GPUs x 256 images. As published, a rate holds for an epoch: from
# 0.03 in five steps to 0.24, then a cosine that is counted from the beginning. Here its factor acts from the beginning
# and takes up to 0.1 % (in 90 epochs 0.5 %) off the steps; every other rate is the published one.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.24, momentum=0.9, weight_decay=1e-4, fused=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.125, by_epoch=True, begin=0, end=6),
    dict(type='CosineAnnealingLR', T_max=200, by_epoch=True),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200)
auto_scale_lr = dict(base_batch_size=2048)
