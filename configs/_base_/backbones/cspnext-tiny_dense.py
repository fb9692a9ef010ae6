# CSPNeXt-tiny for detection: strides 8, 16 and 32, all of it trained, batch statistics of all GPUs.
backbone = dict(
    type='mmdet.CSPNeXt',
    deepen_factor=0.167,
    widen_factor=0.375,
    out_indices=(2, 3, 4),
    frozen_stages=-1,
    norm_cfg=dict(type='SyncBN'),
    act_cfg=dict(type='mmdet.SiLU', inplace=True),
    norm_eval=False)
channels = [96, 192, 384]
