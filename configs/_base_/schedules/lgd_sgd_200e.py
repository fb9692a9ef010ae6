# SGD for 200 epochs, 5 of them warming up, then cosine; lr 0.03 x batch / 256 with 8 GPUs x 256 pictures.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.24, momentum=0.9, weight_decay=1e-4, fused=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', T_max=195, by_epoch=True, begin=5, end=200, convert_to_iter_based=True),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200)
auto_scale_lr = dict(base_batch_size=2048)
