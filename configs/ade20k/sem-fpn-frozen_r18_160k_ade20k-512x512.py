# Semantic FPN on the maps of a frozen ResNet-18 student: ADE20K, upstream's 160k schedule (4 GPUs x 4 images).
_base_ = './sem-fpn_r18_160k_ade20k-512x512.py'
frozen_backbone = True
