# ResNet-18 from CLIP RN50 with ImageNet names on ImageNet images: the published run, 8 GPUs x 256 images.
_base_ = [
    '../_base_/models/lgd.py', '../_base_/datasets/imagenet_unlabelled.py', '../_base_/schedules/lgd_sgd_200e.py',
    '../_base_/lgd_runtime.py'
]
model = dict(backbone=dict(type='mmpretrain.ResNet', depth=18, zero_init_residual=False))
