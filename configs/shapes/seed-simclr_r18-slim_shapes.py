# SEED with a teacher that knows no text: similarity distillation from a SimCLR network of the same images.
_base_ = './seed_r18-slim_shapes.py'
model = dict(
    teacher=dict(
        _delete_=True,
        type='lgd_mm.BackboneTeacher',
        backbone=_base_.model.backbone,
        checkpoint='work_dirs/simclr_r18-slim_shapes/student.safetensors'))
