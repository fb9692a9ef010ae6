# The quickstart's pre-training in its fast form: views drawn as numbers, a fused optimiser.
_base_ = './lgd_r18-slim_shapes.py'
train_dataloader = dict(
    dataset=dict(pipeline=[
        dict(type='lgd_mm.LoadImage'),
        dict(type='lgd_mm.RandomView', size=64, scale=(0.5, 1.0), jitter_prob=0., grey_prob=0., blur_prob=0.),
        dict(type='lgd_mm.PackView'),
    ]))
optim_wrapper = dict(optimizer=dict(fused=True))
