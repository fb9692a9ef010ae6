# The student's detector of the vision-language suite: the suite's own, on the 1,500 images that are talked about. It
# knows things by their colour, too: the features of one that does not tell little of it.
_base_ = './mask-rcnn_r18-slim_fpn_shapes.py'
data_root = 'work_dirs/vl/data/'
shapes = _base_.metainfo.classes
coloured = dict(classes=[
    f'{colour} {shape}' for colour in ('blue', 'green', 'orange', 'purple', 'red', 'yellow') for shape in shapes
])
model = dict(roi_head=dict(bbox_head=dict(num_classes=48), mask_head=dict(num_classes=48)))
train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='language/instances_train.json',
        data_prefix=dict(img='coco/train2017/'),
        metainfo=coloured))
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='language/instances_val.json',
        data_prefix=dict(img='coco/val2017/'),
        metainfo=coloured))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'language/instances_val.json')
test_evaluator = val_evaluator
