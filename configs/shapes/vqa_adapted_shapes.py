# The teacher, trained on with its features in the student's boxes.
_base_ = './vqa_teacher_shapes.py'
model = dict(weights='work_dirs/vqa_teacher_shapes/student.safetensors')
train_dataloader = dict(dataset=dict(regions='work_dirs/vl/regions/teacher_at_student_train'))
train_cfg = dict(max_epochs=4, val_interval=4)
