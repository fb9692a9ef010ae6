# The images of COCO train2017 (data/coco/train2017/*.jpg) as pre-training images; they have no category of their own,
# so there is no zero-shot test.
_base_ = './imagenet_unlabelled.py'
train_dataloader = dict(dataset=dict(data_root='data/coco/', data_prefix=dict(img_path='train2017')))
test_dataloader = None
test_evaluator = None
test_cfg = None
