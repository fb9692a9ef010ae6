"""The teacher's embeddings of views, kept on disk: the store, its data set, and a teacher that stands in for it."""

from lgd_mm.teacher_cache.images import CachedImages, CachedIndexedImages, CachedShardedImages
from lgd_mm.teacher_cache.store import TeacherCache
from lgd_mm.teacher_cache.teacher import CachedTeacher

__all__ = ['CachedImages', 'CachedIndexedImages', 'CachedShardedImages', 'CachedTeacher', 'TeacherCache']
