# CompRess as published, with LGD's teacher: similarities in the student's own space follow the teacher's. No MLP, crops
# and flips alone, 130 epochs of SGD, 0.01 for 256 images (8 GPUs x 32), a fifth of it after 90 and after 120.
_base_ = './seed_r18_pretrain.py'
model = dict(_delete_=True, type='lgd_mm.CompRess', queue_length=128000, **{
    part: _base_.model[part] for part in ('backbone', 'teacher')})
train_dataloader = dict(
    batch_size=32,
    dataset=dict(pipeline=[
        dict(type='lgd_mm.LoadImage'),
        dict(type='lgd_mm.RandomView', size=224, scale=(0.08, 1.0), jitter_prob=0.0, grey_prob=0.0, blur_prob=0.0),
        dict(type='lgd_mm.PackView'),
    ]))
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[90, 120], gamma=0.2)]
train_cfg = dict(max_epochs=130)
auto_scale_lr = dict(base_batch_size=256)
