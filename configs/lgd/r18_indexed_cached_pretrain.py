# The same from 50 views of each image whose embeddings were computed before:
#   python tools/cache_teacher.py configs/lgd/r18_indexed_pretrain.py --views 50 --out data/caches/images_rn50
_base_ = './r18_indexed_pretrain.py'
cache = 'data/caches/images_rn50'
model = dict(teacher=dict(_delete_=True, type='lgd_mm.CachedTeacher', cache=cache))
train_dataloader = dict(dataset=dict(type='lgd_mm.CachedIndexedImages', cache=cache))
