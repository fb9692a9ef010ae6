# Zero-shot on ImageNet: the MLP head of any student that imitates CLIP's embeddings, against the textual bank.
# Run with tools/test.py CONFIG CHECKPOINT, where the checkpoint is of the pre-training (epoch_N.pth).
#   data/imagenet/val/<wnid>/*.JPEG
_base_ = [
    '../_base_/models/lgd.py', '../_base_/datasets/imagenet_unlabelled.py', 'mmpretrain::_base_/default_runtime.py'
]
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(
    _delete_=True,
    type='lgd_mm.ZeroShotClassifier',
    backbone=dict(type='mmpretrain.ResNet', depth=18),
    neck=_base_.model.neck,
    teacher=_base_.model.teacher,
    categories='imagenet')
train_dataloader = None
