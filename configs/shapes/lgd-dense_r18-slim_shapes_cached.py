# Dense guidance from a cache: no map of the teacher, but its embeddings of crops of each image:
#   python tools/cache_teacher.py configs/shapes/lgd_r18-slim_shapes_fast.py --views 11 --crops 8 \
#       --out work_dirs/quickstart/cache_crops
_base_ = './lgd_r18-slim_shapes_cached.py'
cache = 'work_dirs/quickstart/cache_crops'
model = dict(
    backbone=dict(out_indices=(1, 2, 3)),
    teacher=dict(cache=cache),
    dense=dict(type='lgd_mm.DenseGuidance', background=0.3, mimicking=0.5))
train_dataloader = dict(dataset=dict(cache=cache, crops=4))
