# Images in folders that are their classes, prepared as mmpretrain does for ImageNet.
#   data/folder/train/<class>/*    data/folder/val/<class>/*
_base_ = 'mmpretrain::_base_/datasets/imagenet_bs32_pil_resize.py'
data_root = 'data/folder/'
# Every format that pre-training reads.
train_pipeline = [dict(type='lgd_mm.LoadImage'), *_base_.train_pipeline[1:]]
test_pipeline = [dict(type='lgd_mm.LoadImage'), *_base_.test_pipeline[1:]]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='lgd_mm.LabelledImages',
        data_root=data_root,
        data_prefix='train',
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='lgd_mm.LabelledImages',
        data_root=data_root,
        data_prefix='val',
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(topk=(1, ))  # there may be fewer than five classes
test_evaluator = val_evaluator
