# The same from a cache, a new view in each of the 11 epochs:
#   python tools/cache_teacher.py configs/shapes/lgd_r18-slim_shapes_fast.py --views 11 --out work_dirs/quickstart/cache
_base_ = './lgd_r18-slim_shapes_fast.py'
cache = 'work_dirs/quickstart/cache'
model = dict(teacher=dict(_delete_=True, type='lgd_mm.CachedTeacher', cache=cache))
train_dataloader = dict(dataset=dict(type='lgd_mm.CachedImages', cache=cache))
