# The same by the teacher alone: python tools/test.py configs/shapes/zero-shot-segmentation_teacher_harder.py
_base_ = './zero-shot-segmentation_r18-slim_harder.py'
model = dict(
    _delete_=True,
    type='lgd_mm.TeacherSegmentor',
    teacher=dict(**_base_.model.teacher, dense_stride=8),
    categories=_base_.model.categories,
    background=_base_.model.background,
    refinement=10)
