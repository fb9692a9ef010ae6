# The same images, segmented by colour.
#   work_dirs/quickstart/data/ade/{images,colours}/{training,validation}/
_base_ = './upernet_r18-slim_shapes.py'
metainfo = dict(
    classes=('background', 'blue', 'green', 'orange', 'purple', 'red', 'yellow'),
    palette=[[90, 90, 90], [0, 130, 200], [60, 180, 75], [245, 130, 48], [145, 30, 180], [230, 25, 75], [255, 225, 25]])
class_weight = [0.1] + 6 * [1.0]
model = dict(
    decode_head=dict(num_classes=7, loss_decode=dict(class_weight=class_weight)),
    auxiliary_head=dict(num_classes=7, loss_decode=dict(class_weight=class_weight)))
train_dataloader = dict(dataset=dict(metainfo=metainfo, data_prefix=dict(seg_map_path='colours/training')))
val_dataloader = dict(dataset=dict(metainfo=metainfo, data_prefix=dict(seg_map_path='colours/validation')))
test_dataloader = val_dataloader
