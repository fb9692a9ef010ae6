# A MobileNetV2 student trained on with ImageNet's labels: upstream's schedule (8 GPUs x 32 images).
#   data/imagenet/{train,val}/<wnid>/*.JPEG
_base_ = 'mmpretrain::mobilenet_v2/mobilenet-v2_8xb32_in1k.py'
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
