# RTMDet-s on COCO as upstream's, but in RGB, as students were pre-trained; the student is missing.
_base_ = 'mmdet::rtmdet/rtmdet_s_8xb32-300e_coco.py'
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True))
auto_scale_lr = dict(base_batch_size=256)  # upstream has that of another schedule
