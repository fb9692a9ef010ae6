# SEED in the place of LGD: the same student, teacher, images and schedule; a queue of teacher features, no names.
_base_ = './lgd_r18-slim_shapes.py'
model = dict(_delete_=True, type='lgd_mm.SEED', queue_length=2048, **{
    part: _base_.model[part] for part in ('backbone', 'neck', 'teacher')})
val_dataloader = None  # zero-shot_r18-slim_shapes.py tests the student
val_evaluator = None
val_cfg = None
test_dataloader = None
test_evaluator = None
test_cfg = None
