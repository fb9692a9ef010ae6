# LGD with the names read at every position as well, and what has no name learnt too. This teacher is less sure of the
# positions than that of the first world: 0.08 is between its similarities of things and of what lies behind them.
_base_ = './lgd_r18-slim_harder.py'
model = dict(
    backbone=dict(out_indices=(1, 2, 3)),
    teacher=dict(dense_stride=8),
    dense=dict(type='lgd_mm.DenseGuidance', background=0.08, mimicking=0.5))
