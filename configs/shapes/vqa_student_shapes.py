# Questions about generated images, answered by a transformer of 2 blocks of width 64, from labels alone.
_base_ = '../_base_/vl_shapes.py'
data_root = 'work_dirs/vl/data/'
vocabulary = data_root + 'language/vocab.txt'
answers = data_root + 'language/answers.txt'
asked = dict(type='lgd_mm.VLQuestions', vocabulary=vocabulary, answers=answers, lengths=(14, 0, 10))
model = dict(
    type='lgd_mm.VisionLanguageModel',
    vocabulary=vocabulary,
    transformer=dict(width=64, depth=2, heads=8, positions=40, region_width=256 + 6, init_std=0.125),
    task=dict(type='lgd_mm.VLAnswering', answers=answers))
train_dataloader = dict(
    dataset=dict(
        **asked,
        regions='work_dirs/vl/regions/student_train',
        source=dict(
            type='COCOVQA',
            data_root=data_root,
            data_prefix='coco/train2017',
            question_file='language/questions_train.json',
            ann_file='language/answers_train.json')))
val_dataloader = dict(
    dataset=dict(
        **asked,
        test=True,
        regions='work_dirs/vl/regions/student_val',
        source=dict(
            type='COCOVQA',
            data_root=data_root,
            data_prefix='coco/val2017',
            question_file='language/questions_val.json',
            ann_file='language/answers_val.json')))
test_dataloader = val_dataloader
val_evaluator = dict(type='lgd_mm.VQAAccuracy')
train_cfg = dict(max_epochs=8, val_interval=8)
test_evaluator = val_evaluator
