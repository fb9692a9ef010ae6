# ResNet-18 and MobileNetV2 in one run: one data stream and one pass of the teacher for both.
_base_ = [
    '../_base_/models/lgd.py', '../_base_/datasets/imagenet_unlabelled.py', '../_base_/schedules/lgd_sgd_200e.py',
    '../_base_/lgd_runtime.py'
]
distiller = dict(type='lgd_mm.LGD', neck=_base_.model.neck, lgka=_base_.model.lgka, head=_base_.model.head)
model = dict(
    _delete_=True,
    type='lgd_mm.ManyStudents',
    teacher=_base_.model.teacher,
    students=dict(
        r18=dict(**distiller, backbone=dict(type='mmpretrain.ResNet', depth=18, zero_init_residual=False)),
        mobilenetv2=dict(**distiller, backbone=dict(type='lgd_mm.MobileNetV2'))))
