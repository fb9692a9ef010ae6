"""Teachers: frozen networks whose knowledge is distilled."""

from lgd_mm.models.teachers.backbone import BackboneTeacher
from lgd_mm.models.teachers.base import Teacher
from lgd_mm.models.teachers.cached import CachedTeacher
from lgd_mm.models.teachers.open_clip import OpenCLIPTeacher

__all__ = ['BackboneTeacher', 'CachedTeacher', 'OpenCLIPTeacher', 'Teacher']
