# VQA v2 with an adapted teacher that answers: 40 epochs at a batch of 128, questions without tags, dropout 0.3 (all
# MiniVLM's, which has 0.1 for attention maps still).
#   data/vqav2/{questions,annotations}_{train,val}2014.json    data/vqav2/answers.txt
_base_ = './distill-vlm_caption_coco.py'
answering = dict(type='lgd_mm.VLAnswering', answers='data/vqav2/answers.txt')
model = dict(
    student=dict(task=dict(_delete_=True, **answering), transformer=dict(dropout=0.3)),
    teacher=dict(task=dict(_delete_=True, **answering), weights='work_dirs/adapt_vqa_vqav2/student.safetensors'))
asked = dict(
    type='lgd_mm.VLQuestions',
    vocabulary='data/bert-base-uncased/vocab.txt',
    regions='data/regions/student',
    lengths=(128, 0, 50),
    answers='data/vqav2/answers.txt')
train_dataloader = dict(batch_size=128, dataset=dict(
    _delete_=True,
    **asked,
    teacher_regions='data/regions/teacher_at_student',
    source=dict(
        type='COCOVQA',
        data_root='data/',
        data_prefix='coco/train2014',
        question_file='vqav2/questions_train2014.json',
        ann_file='vqav2/annotations_train2014.json')))
val_dataloader = dict(dataset=dict(
    _delete_=True,
    **asked,
    test=True,
    source=dict(
        type='COCOVQA',
        data_root='data/',
        data_prefix='coco/val2014',
        question_file='vqav2/questions_val2014.json',
        ann_file='vqav2/annotations_val2014.json')))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='lgd_mm.VQAAccuracy')
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(lr=5e-5))
param_scheduler = [
    dict(type='PolyLR', by_epoch=True, begin=0, end=40, eta_min=0, power=1., convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=40)
auto_scale_lr = dict(base_batch_size=128)
