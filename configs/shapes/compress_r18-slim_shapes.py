# CompRess in the place of LGD: similarities within the student's own space follow the teacher's.
_base_ = './seed_r18-slim_shapes.py'
model = dict(_delete_=True, type='lgd_mm.CompRess', queue_length=2048, momentum=0.99, **{
    part: _base_.model[part] for part in ('backbone', 'neck', 'teacher')})
