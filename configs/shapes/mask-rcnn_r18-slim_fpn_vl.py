# The student's detector of the vision-language suite: the suite's own, on the 1,500 images that are talked about.
_base_ = './mask-rcnn_r18-slim_fpn_shapes.py'
data_root = 'work_dirs/vl/data/coco/'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/instances_val2017.json')
test_evaluator = val_evaluator
