# CompRess in the place of LGD: similarities within the student's own space follow the teacher's.
_base_ = './seed_r18_pretrain.py'
model = dict(_delete_=True, type='lgd_mm.CompRess', queue_length=128000, **{
    part: _base_.model[part] for part in ('backbone', 'neck', 'teacher')})
