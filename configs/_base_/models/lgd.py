# Published defaults: CLIP RN50 teacher, 80 prompt templates, alpha 0.5, temperatures 0.2 / 0.01, momentum 0.999.
model = dict(
    type='lgd_mm.LGD',
    neck=dict(type='lgd_mm.MLPProjection'),
    teacher=dict(type='lgd_mm.OpenCLIPTeacher', model='RN50', pretrained='openai'),
    lgka=dict(type='lgd_mm.LGKA', categories='imagenet', momentum=0.999),
    head=dict(type='lgd_mm.LGDHead', alpha=0.5, student_temperature=0.2, teacher_temperature=0.01))
