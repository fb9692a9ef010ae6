# A MobileNetV2 student trained on with Caltech-256's labels: upstream's schedule for ImageNet.
#   data/caltech256/{train,val}/<class>/*.jpg
_base_ = [
    'mmpretrain::_base_/models/mobilenet_v2_1x.py', '../_base_/datasets/caltech256.py',
    'mmpretrain::_base_/schedules/imagenet_bs256_epochstep.py', 'mmpretrain::_base_/default_runtime.py'
]
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(head=dict(num_classes=256))
