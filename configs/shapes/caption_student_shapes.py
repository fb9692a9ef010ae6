# Captions of generated images, written by a transformer of 2 blocks of width 64, from labels alone.
_base_ = '../_base_/vl_shapes.py'
data_root = 'work_dirs/vl/data/'
vocabulary = data_root + 'language/vocab.txt'
about = dict(vocabulary=vocabulary, lengths=(26, 0, 10))
model = dict(
    type='lgd_mm.VisionLanguageModel',
    vocabulary=vocabulary,
    transformer=dict(width=64, depth=2, heads=8, positions=40, region_width=256 + 6, init_std=0.125),
    task=dict(type='lgd_mm.VLCaptioning', longest=24))
train_dataloader = dict(
    dataset=dict(
        type='lgd_mm.VLCaptionTraining',
        **about,
        regions='work_dirs/vl/regions/student_train',
        source=dict(
            type='COCOCaption',
            data_root=data_root,
            data_prefix=dict(img_path='coco/train2017'),
            ann_file='language/captions_train.json')))
val_dataloader = dict(
    dataset=dict(
        type='lgd_mm.VLCaptionTest',
        **about,
        regions='work_dirs/vl/regions/student_val',
        source=dict(
            type='COCOCaption',
            data_root=data_root,
            data_prefix=dict(img_path='coco/val2017'),
            ann_file='language/captions_val.json')))
test_dataloader = val_dataloader
val_evaluator = dict(type='lgd_mm.CaptionScores')
test_evaluator = val_evaluator
