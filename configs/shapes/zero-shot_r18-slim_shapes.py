# Zero-shot classification of single shapes by name, for every student that imitates the shipped teacher's embeddings.
#   work_dirs/quickstart/data/zero_shot/<shape>/*    work_dirs/quickstart/data/meta/zero_shot_shapes.txt
_base_ = './seed_r18-slim_shapes.py'
shapes = ['circle', 'crescent', 'cross', 'diamond', 'ring', 'square', 'star', 'triangle']
model = dict(_delete_=True, type='lgd_mm.ZeroShotClassifier', categories=shapes, **{
    part: _base_.model[part] for part in ('backbone', 'neck', 'teacher')})
train_dataloader = None
train_cfg = None
optim_wrapper = None
param_scheduler = None
custom_hooks = None
test_dataloader = dict(
    _delete_=True,
    batch_size=200,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='CustomDataset',
        data_root=_base_.data_root,
        data_prefix='zero_shot',
        ann_file='meta/zero_shot_shapes.txt',
        metainfo=dict(classes=shapes),
        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')]))
test_evaluator = dict(_delete_=True, type='Accuracy', topk=(1, ))
test_cfg = dict(_delete_=True)
