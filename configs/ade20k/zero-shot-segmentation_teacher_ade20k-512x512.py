# Segmentation of ADE20K by its names, without a label and without a student: what a teacher's own positions know.
#   python tools/test.py configs/ade20k/zero-shot-segmentation_teacher_ade20k-512x512.py
#   data/ade/ADEChallengeData2016/{images,annotations}/validation/
_base_ = '../_base_/segmentation/sem-fpn_ade20k.py'
model = dict(
    _delete_=True,
    type='lgd_mm.TeacherSegmentor',
    teacher=dict(type='lgd_mm.OpenCLIPTeacher', model='RN50', pretrained='openai', dense_stride=16),
    categories='ade20k')
train_dataloader = None
train_cfg = None
optim_wrapper = None
param_scheduler = None
val_dataloader = None
val_evaluator = None
val_cfg = None
