# The 150 ADE20K names on ImageNet images, for a segmenter to come.
_base_ = './r18_pretrain.py'
model = dict(lgka=dict(categories='ade20k'))
test_dataloader = None  # ImageNet's labels are not these names
test_evaluator = None
test_cfg = None
