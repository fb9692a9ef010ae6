"""Teachers: frozen networks whose knowledge is distilled."""

from lgd_mm.models.teachers.backbone import BackboneTeacher
from lgd_mm.models.teachers.base import Teacher
from lgd_mm.models.teachers.open_clip import OpenCLIPTeacher
from lgd_mm.moved import moved_names

__all__ = ['BackboneTeacher', 'OpenCLIPTeacher', 'Teacher']

__getattr__ = moved_names(__name__, CachedTeacher='lgd_mm.teacher_cache')
