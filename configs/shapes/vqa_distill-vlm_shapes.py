# The student, taught by the adapted teacher what to look at, what to think and what to say.
_base_ = './vqa_student_shapes.py'
model = dict(
    _delete_=True,
    type='lgd_mm.DistillVLM',
    student=_base_.model,
    teacher=dict(
        _base_.model,
        transformer=dict(width=128, depth=4, heads=8, positions=40, region_width=512 + 6, init_std=0.09),
        weights='work_dirs/vqa_adapted_shapes/student.safetensors'),
    attention=10.,
    hidden=1.,
    labels=1.,
    queue_length=4096)
train_dataloader = dict(dataset=dict(teacher_regions='work_dirs/vl/regions/teacher_at_student_train'))
