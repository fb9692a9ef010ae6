# Pictures in folders that are their classes, prepared as mmpretrain does for ImageNet.
#   data/folder/train/<class>/*    data/folder/val/<class>/*
_base_ = 'mmpretrain::_base_/datasets/imagenet_bs32_pil_resize.py'
data_root = 'data/folder/'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root=data_root,
        data_prefix='train',
        pipeline=_base_.train_pipeline))
val_dataloader = dict(
    dataset=dict(
        _delete_=True, type='CustomDataset', data_root=data_root, data_prefix='val', pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(topk=(1, ))  # there may be fewer than five classes
test_evaluator = val_evaluator
