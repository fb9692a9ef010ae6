# The teacher: 4 blocks of width 128, on its own detector's boxes, and tested on the student's.
_base_ = './vqa_student_shapes.py'
model = dict(transformer=dict(width=128, depth=4, region_width=512 + 6, init_std=0.09))
train_dataloader = dict(dataset=dict(regions='work_dirs/vl/regions/teacher_own_train'))
val_dataloader = dict(dataset=dict(regions='work_dirs/vl/regions/teacher_at_student_val'))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=5e-4))  # of 2e-3 it learns nothing
