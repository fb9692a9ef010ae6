# What a student alone needs: the statistics of its pre-training, and how an image becomes its input.
default_scope = 'mmpretrain'
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
data_preprocessor = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
test_dataloader = dict(
    dataset=dict(
        type='CustomDataset',
        pipeline=[
            dict(type='LoadImageFromFile'),
            # By their full names: mmpretrain's inferencers build them in the scope of whatever was used before.
            dict(type='mmpretrain.ResizeEdge', scale=256, edge='short', backend='pillow'),
            dict(type='mmpretrain.CenterCrop', crop_size=224),
            dict(type='mmpretrain.PackInputs'),
        ]))
