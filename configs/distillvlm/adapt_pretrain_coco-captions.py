# The teacher, trained on with its own detector's features in the student's boxes; begins from a vision-language model
# trained on its own boxes (load_from), or from BERT (model.bert).
_base_ = [
    '../_base_/datasets/vl_coco_captions.py', '../_base_/schedules/vl_adamw.py', '../_base_/vl_runtime.py'
]
model = dict(
    type='lgd_mm.VisionLanguageModel',
    vocabulary='data/bert-base-uncased/vocab.txt',
    transformer=dict(width=768, depth=12, heads=12, region_width=2048 + 6),
    task=dict(type='lgd_mm.VLPretraining', seq2seq=True))
train_dataloader = dict(dataset=dict(regions='data/regions/teacher_at_student', teacher_regions=None))
optim_wrapper = dict(optimizer=dict(lr=5e-5))
