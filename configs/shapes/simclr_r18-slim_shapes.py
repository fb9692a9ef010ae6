# SimCLR, without a teacher: two views of each image on the schedule of LGD. It is also the teacher without text of
# seed-simclr_r18-slim_shapes.py.
_base_ = './seed_r18-slim_shapes.py'
model = dict(
    _delete_=True,
    type='mmpretrain.SimCLR',
    data_preprocessor=dict(
        type='mmpretrain.SelfSupDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True),
    backbone=_base_.model.backbone,
    neck=dict(type='mmpretrain.NonLinearNeck', in_channels=128, hid_channels=128, out_channels=64, num_layers=2),
    head=dict(
        type='mmpretrain.ContrastiveHead', loss=dict(type='mmpretrain.CrossEntropyLoss'), temperature=0.1))
view_pipeline = [
    dict(type='RandomResizedCrop', scale=64, crop_ratio_range=(0.3, 1.0), backend='cv2'),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='RandomApply',
        prob=0.8,
        transforms=[dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)]),
    dict(type='RandomGrayscale', prob=0.2, keep_channels=True, channel_weights=(0.114, 0.587, 0.2989)),
]
train_dataloader = dict(
    dataset=dict(pipeline=[
        dict(type='lgd_mm.LoadImage'),
        dict(type='MultiView', num_views=2, transforms=[view_pipeline]),
        dict(type='PackInputs'),
    ]))
