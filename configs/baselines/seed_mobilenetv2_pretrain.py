# SEED in the place of LGD: the same student, teacher, images and schedule; a queue of 65,536 teacher features, no
# names. Its student shares the teacher's space: test it with configs/classification/zero-shot_mobilenetv2_imagenet.py.
_base_ = '../lgd/mobilenetv2_pretrain.py'
model = dict(_delete_=True, type='lgd_mm.SEED', queue_length=65536, **{
    part: _base_.model[part] for part in ('backbone', 'neck', 'teacher')})
test_dataloader = None
test_evaluator = None
test_cfg = None
