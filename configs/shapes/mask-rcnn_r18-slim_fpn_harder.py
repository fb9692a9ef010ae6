# Mask R-CNN on the harder world's images of 160 px.
_base_ = ['./mask-rcnn_r18-slim_fpn_shapes.py', '../_base_/harder_world.py']
data_root = _base_.harder.data_root + 'coco/'
dataset = dict(data_root=data_root, metainfo=dict(classes=_base_.harder.classes))
model = dict(roi_head=dict(bbox_head=dict(num_classes=40), mask_head=dict(num_classes=40)))
test_pipeline = [
    dict(step, scale=(160, 160)) if step['type'] == 'Resize' else step for step in _base_.test_pipeline
]
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dict(dataset, pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/instances_val2017.json')
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=2, val_interval=2)
