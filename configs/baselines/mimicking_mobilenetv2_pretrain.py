# Feature mimicking in the place of LGD: the student's embedding becomes the teacher's.
_base_ = './seed_mobilenetv2_pretrain.py'
model = dict(_delete_=True, type='lgd_mm.FeatureMimicking', distance='cosine', **{
    part: _base_.model[part] for part in ('backbone', 'neck', 'teacher')})
