# The 80 COCO names on ImageNet images, for a detector to come.
_base_ = './r18_pretrain.py'
model = dict(lgka=dict(categories='coco'))
test_dataloader = None  # ImageNet's labels are not these names
test_evaluator = None
test_cfg = None
