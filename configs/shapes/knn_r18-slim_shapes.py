# The nearest of the 1,000 labelled images vote, and each test image seeks the others of its class among the test
# images: nothing is learned, and both are measured in one pass.
_base_ = './linear_r18-slim_shapes.py'
model = dict(_delete_=True, type='lgd_mm.KNNClassifier', backbone=_base_.model.backbone, num_classes=8)
data_preprocessor = None  # the classifier's own has the same statistics
train_dataloader = dict(sampler=dict(shuffle=False, round_up=False))
val_evaluator = [_base_.val_evaluator, dict(type='lgd_mm.RetrievalMAP')]
test_dataloader = None
test_evaluator = None
test_cfg = None
optim_wrapper = dict(_delete_=True, type='lgd_mm.ReadOnlyOptimWrapper', optimizer=dict(type='SGD', lr=0.))
param_scheduler = None
train_cfg = dict(max_epochs=1, val_interval=1)
default_hooks = dict(checkpoint=None, runtime_info=dict(type='RuntimeInfoHook'))
