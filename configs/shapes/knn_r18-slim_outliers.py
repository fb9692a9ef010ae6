# The test images against those of the harder world, whose shapes have textures, holes and rims that no student of this
# one has seen: which are nearer to the tenth of the 1,000 labelled images?
_base_ = './knn_r18-slim_shapes.py'
model = dict(k=10)
known = _base_.val_dataloader.dataset
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            known,
            dict(
                type='lgd_mm.DrawnImages',
                kind='harder',
                images=800,
                pipeline=[dict(type='lgd_mm.LabelOutlier'), known.pipeline[-1]])
        ],
        ignore_keys=['classes']))
val_evaluator = [dict(type='lgd_mm.OutlierAUROC')]
