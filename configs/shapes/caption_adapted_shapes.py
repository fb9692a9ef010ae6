# The teacher, trained on with its features in the student's boxes.
_base_ = './caption_teacher_shapes.py'
model = dict(weights='work_dirs/caption_teacher_shapes/student.safetensors')
train_dataloader = dict(dataset=dict(regions='work_dirs/vl/regions/teacher_at_student_train'))
train_cfg = dict(max_epochs=8, val_interval=8)
