# Dense guidance at the cost of a cached run: no map of the teacher, but its embeddings of crops of each image:
#   python tools/cache_teacher.py configs/lgd/r18_pretrain.py --views 50 --crops 8 --out data/caches/imagenet_rn50_crops
_base_ = './r18_cached_pretrain.py'
cache = 'data/caches/imagenet_rn50_crops'
model = dict(
    backbone=dict(out_indices=(1, 2, 3)),
    teacher=dict(cache=cache),
    dense=dict(type='lgd_mm.DenseGuidance', mimicking=0.5))
train_dataloader = dict(dataset=dict(cache=cache, crops=4))
