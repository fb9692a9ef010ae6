# A MobileNetV2 student trained on with the labels of any folder of classes: give --cfg-options model.head.num_classes=N
#   data/folder/{train,val}/<class>/*
_base_ = [
    'mmpretrain::_base_/models/mobilenet_v2_1x.py', '../_base_/datasets/image_folder.py',
    '../_base_/schedules/finetune_sgd_100e.py', 'mmpretrain::_base_/default_runtime.py'
]
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
