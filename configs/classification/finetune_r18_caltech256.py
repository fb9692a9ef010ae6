# A ResNet-18 student trained on with Caltech-256's labels.
#   data/caltech256/{train,val}/<class>/*.jpg
_base_ = [
    'mmpretrain::_base_/models/resnet18.py', '../_base_/datasets/caltech256.py',
    '../_base_/schedules/finetune_sgd_100e.py', 'mmpretrain::_base_/default_runtime.py'
]
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(head=dict(num_classes=256))
