# Segmentation by the names of the 40 categories, without a label: the student of a dense pre-training.
_base_ = ['./zero-shot-segmentation_r18-slim_shapes.py', '../_base_/harder_world.py']
metainfo = dict(
    classes=('background', *_base_.harder.classes),
    palette=[[90, 90, 90]] + [[37 * k % 256, 91 * k % 256, 151 * k % 256] for k in range(1, 41)])
model = dict(teacher=dict(model=_base_.harder.teacher), categories=_base_.harder.classes, background=0.08)
test_dataloader = dict(dataset=dict(data_root=_base_.harder.data_root + 'ade/', metainfo=metainfo))
