# The adapted teacher learns to write captions, on its features in the student's boxes, before it teaches that:
# distill-vlm_caption_coco.py. The learning rate is Oscar's.
_base_ = './distill-vlm_caption_coco.py'
model = dict(
    _delete_=True,
    type='lgd_mm.VisionLanguageModel',
    vocabulary='data/bert-base-uncased/vocab.txt',
    transformer=dict(width=768, depth=12, heads=12, region_width=2048 + 6),
    task=dict(type='lgd_mm.VLCaptioning'),
    weights='work_dirs/adapt_pretrain_coco-captions/student.safetensors')
seen = dict(dataset=dict(regions='data/regions/teacher_at_student'))
train_dataloader = dict(dataset=dict(seen['dataset'], teacher_regions=None))
val_dataloader = seen
test_dataloader = seen
optim_wrapper = dict(optimizer=dict(lr=3e-5))
