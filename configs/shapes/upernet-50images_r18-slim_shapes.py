# UPerNet with 50 of the 200 images, and as many steps.
_base_ = './upernet_r18-slim_shapes.py'
train_dataloader = dict(
    dataset=dict(_delete_=True, type='lgd_mm.FewLabels', images=50, draw=0, dataset=_base_.train_dataloader.dataset))
