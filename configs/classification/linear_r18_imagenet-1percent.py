# Linear probe of a ResNet-18 student on 1 % of ImageNet's labels; tools/prepare_dataset.py imagenet writes the list.
#   data/imagenet/{train,val}/<wnid>/*.JPEG    data/imagenet/meta/train_1percent.txt
_base_ = './linear_r18_imagenet.py'
train_dataloader = dict(dataset=dict(ann_file='meta/train_1percent.txt'))
