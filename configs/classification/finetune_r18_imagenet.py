# A ResNet-18 student trained on with ImageNet's labels: upstream's schedule (8 GPUs x 32 images).
#   data/imagenet/{train,val}/<wnid>/*.JPEG
_base_ = [
    'mmpretrain::_base_/models/resnet18.py', 'mmpretrain::_base_/datasets/imagenet_bs32_pil_resize.py',
    'mmpretrain::_base_/schedules/imagenet_bs256.py', 'mmpretrain::_base_/default_runtime.py'
]
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
