# ResNet-18 for detection and segmentation: strides 4, 8, 16 and 32, all of it trained, batch statistics of all GPUs.
backbone = dict(
    type='mmpretrain.ResNet',
    depth=18,
    out_indices=(0, 1, 2, 3),
    frozen_stages=-1,
    norm_cfg=dict(type='SyncBN'),
    norm_eval=False)
channels = [64, 128, 256, 512]
