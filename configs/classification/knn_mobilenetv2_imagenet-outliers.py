# Outliers told by a MobileNetV2 student: the validation images of ImageNet against all below data/outliers, by
# the distance to the k-th nearest training image.
#   data/imagenet/{train,val}/<wnid>/*.JPEG    data/outliers/**/*
_base_ = './knn_mobilenetv2_imagenet.py'
model = dict(k=1000)  # as in the paper
known = _base_.val_dataloader.dataset
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            known,
            dict(
                type='lgd_mm.LabelledImages',
                data_root='data/outliers/',
                with_label=False,
                pipeline=[*_base_.test_pipeline[:-1], dict(type='lgd_mm.LabelOutlier'), _base_.test_pipeline[-1]])
        ],
        ignore_keys=['classes']))
val_evaluator = dict(_delete_=True, type='lgd_mm.OutlierAUROC')
