# One MoCo v2 view of each image below data/imagenet/train, coloured on the device; any folder will do.
# Test: zero-shot on the validation set.
#   data/imagenet/train/<wnid>/*.JPEG    data/imagenet/val/<wnid>/*.JPEG
_base_ = 'mmpretrain::_base_/datasets/imagenet_bs32_mocov2.py'
train_pipeline = view_pipeline = None  # upstream's two views, by Pillow; LGD takes one, by MoCo v2's recipe too
data_preprocessor = None  # LGD brings its own
train_dataloader = dict(
    batch_size=256,
    pin_memory=True,
    sampler=dict(type='lgd_mm.ViewSampler'),
    collate_fn=dict(_delete_=True, type='default_collate'),  # inherited from another scope it would get a _scope_
    dataset=dict(
        _delete_=True,
        type='lgd_mm.UnlabelledImages',
        data_root='data/imagenet/',
        data_prefix=dict(img_path='train'),
        pipeline=[
            dict(type='lgd_mm.LoadImage'),
            dict(type='lgd_mm.RandomView', size=224),
            dict(type='lgd_mm.PackView'),
        ]))

test_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ImageNet',
        data_root='data/imagenet/',
        split='val',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='ResizeEdge', scale=256, edge='short', backend='pillow'),
            dict(type='CenterCrop', crop_size=224),
            dict(type='PackInputs'),
        ]))
test_evaluator = dict(type='Accuracy', topk=(1, 5))
test_cfg = dict()
