# A pre-training that is watched on held-out images, in class folders whose names are among the category names. Of
# other class folders leave ZeroShotAccuracy out, of a folder without any NeighbourAccuracy as well. After every epoch,
# or train_cfg = dict(val_interval=N).
#   data/held_out/<class>/*
val_cfg = dict(type='lgd_mm.StudentValLoop')
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='lgd_mm.WatchedImages',
        data_root='data/held_out',
        pipeline=[
            dict(type='lgd_mm.LoadImage'),
            dict(type='ResizeEdge', scale=256, edge='short', backend='pillow'),
            dict(type='CenterCrop', crop_size=224),
            dict(type='PackInputs')
        ]))
val_evaluator = [
    dict(type='lgd_mm.ZeroShotAccuracy'),
    dict(type='lgd_mm.NeighbourAccuracy'),
    dict(type='lgd_mm.RankMe')]
