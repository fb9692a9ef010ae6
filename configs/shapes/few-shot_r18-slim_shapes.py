# Logistic regression on the frozen student with the shapes of 1, 5, 10 and 20 images of each, mean of 5 draws. Its
# training is one pass over the 1,000 labelled images that are drawn from.
_base_ = './linear_r18-slim_shapes.py'
model = dict(
    _delete_=True,
    type='lgd_mm.FewShotProbe',
    backbone=_base_.model.backbone,
    num_classes=8,
    shots=(1, 5, 10, 20),
    draws=5)
train_dataloader = dict(sampler=dict(shuffle=False, round_up=False))
val_evaluator = dict(_delete_=True, type='lgd_mm.FewShotAccuracy')
test_dataloader = None
test_evaluator = None
test_cfg = None
optim_wrapper = dict(type='lgd_mm.ReadOnlyOptimWrapper', optimizer=dict(_delete_=True, type='SGD', lr=0.))
param_scheduler = None
train_cfg = dict(max_epochs=1, val_interval=1)
# Nothing is learned, the student's file is all there is, and there is no loss to be read later.
default_hooks = dict(checkpoint=None, runtime_info=dict(type='RuntimeInfoHook'))
