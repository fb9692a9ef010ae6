# The training images of ADE20K (data/ade/ADEChallengeData2016/images/training/*.jpg) as pre-training images; they
# have no category of their own, so there is no zero-shot test.
_base_ = './imagenet_unlabelled.py'
train_dataloader = dict(
    dataset=dict(data_root='data/ade/ADEChallengeData2016/', data_prefix=dict(img_path='images/training')))
test_dataloader = None
test_evaluator = None
test_cfg = None
