# MobileNetV2 for detection and segmentation: strides 4, 8, 16 and 32, all of it trained, batch statistics of all GPUs.
backbone = dict(
    type='lgd_mm.MobileNetV2',
    out_indices=(1, 2, 4, 6),
    frozen_stages=-1,
    norm_cfg=dict(type='SyncBN'),
    norm_eval=False)
channels = [24, 32, 96, 320]
