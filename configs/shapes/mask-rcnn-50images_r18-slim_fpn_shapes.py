# Mask R-CNN with 50 of the 400 images, and as many steps.
_base_ = './mask-rcnn_r18-slim_fpn_shapes.py'
train_dataloader = dict(
    dataset=dict(_delete_=True, type='lgd_mm.FewLabels', images=50, draw=0, dataset=_base_.train_dataloader.dataset))
train_cfg = dict(max_epochs=28, val_interval=28)
