# Captioning with an adapted teacher that writes captions: 20 epochs at a batch of 512 (MiniVLM's), greedy.
_base_ = './distill-vlm_pretrain_coco-captions.py'
captioning = dict(type='lgd_mm.VLCaptioning')
model = dict(
    labels=1.,
    student=dict(
        task=dict(_delete_=True, **captioning),
        weights='work_dirs/distill-vlm_pretrain_coco-captions/student.safetensors'),
    teacher=dict(task=dict(_delete_=True, **captioning), weights='work_dirs/adapt_caption_coco/student.safetensors'))
lengths = (40, 30, 50)
train_dataloader = dict(dataset=dict(type='lgd_mm.VLCaptionTraining', lengths=lengths))
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='lgd_mm.VLCaptionTest',
        vocabulary='data/bert-base-uncased/vocab.txt',
        regions='data/regions/student',
        lengths=lengths,
        source=dict(
            type='COCOCaption',
            data_root='data/coco/',
            data_prefix=dict(img_path=''),
            ann_file='annotations/coco_karpathy_val.json')))
test_dataloader = dict(val_dataloader, dataset=dict(
    val_dataloader['dataset'], source=dict(
        val_dataloader['dataset']['source'], ann_file='annotations/coco_karpathy_test.json')))
val_evaluator = dict(type='lgd_mm.CaptionScores')
test_evaluator = val_evaluator
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(optimizer=dict(lr=1e-5))
param_scheduler = [
    dict(type='PolyLR', by_epoch=True, begin=0, end=20, eta_min=0, power=1., convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=20, val_interval=1)
auto_scale_lr = dict(base_batch_size=512)
