# ResNet-18 as published, on the images of an index, wherever they lie, in the order that suits shards:
#   lgd-mm index s3://bucket/shards --out data/images.index
_base_ = './r18_pretrain.py'
train_dataloader = dict(
    sampler=dict(sequential=True),
    dataset=dict(
        _delete_=True,
        type='lgd_mm.IndexedImages',
        index='data/images.index',
        data_root=None,  # as indexed; a store that the index does not lie in is read where this says so alone
        pipeline=_base_.train_dataloader.dataset.pipeline))
