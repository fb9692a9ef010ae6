# The 20 nearest training images of a frozen ResNet-18 vote, as in DINO. Its training is one pass that fills the bank.
_base_ = 'mmpretrain::_base_/default_runtime.py'
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(
    type='lgd_mm.KNNClassifier',
    backbone=dict(type='mmpretrain.ResNet', depth=18),
    num_classes=1000,
    k=20,
    temperature=0.07)
optim_wrapper = dict(type='lgd_mm.ReadOnlyOptimWrapper', optimizer=dict(type='SGD', lr=0.))
train_cfg = dict(by_epoch=True, max_epochs=1)
val_cfg = dict()
default_hooks = dict(checkpoint=None)  # nothing is learned, the student's file is all there is
