# Segmentation by the names of the shapes, without a label: the student of a dense pre-training.
#   work_dirs/quickstart/data/ade/{images,annotations}/validation/
_base_ = './upernet_r18-slim_shapes.py'
model = dict(
    _delete_=True,
    type='lgd_mm.ZeroShotSegmentor',
    backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=16, base_channels=16, out_indices=(1, 2, 3)),
    teacher=dict(
        type='lgd_mm.OpenCLIPTeacher',
        model='local-dir:' + __import__('lgd_mm').__path__[0] + '/datasets/shapes/teacher'),
    categories=list(_base_.metainfo['classes'][1:]),
    background=0.3,
    refinement=10)
train_dataloader = None
train_cfg = None
optim_wrapper = None
param_scheduler = None
custom_hooks = None
val_dataloader = None
val_evaluator = None
val_cfg = None
