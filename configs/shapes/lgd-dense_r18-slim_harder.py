# LGD with the names read at every position as well, and what has no name learnt too. This teacher is less sure of the
# positions than that of the first world: 0.08 is between its similarities of things and of what lies behind them.
_base_ = ['./lgd-dense_r18-slim_shapes.py', '../_base_/harder_world.py']
model = dict(
    teacher=dict(model=_base_.harder.teacher),
    lgka=dict(categories=_base_.harder.names),
    dense=dict(background=0.08))
train_dataloader = dict(dataset=dict(data_root=_base_.harder.data_root))
val_dataloader = None
val_evaluator = None
val_cfg = None
test_dataloader = None
test_evaluator = None
test_cfg = None
