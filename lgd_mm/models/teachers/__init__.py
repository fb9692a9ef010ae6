"""Teachers: frozen networks whose knowledge is distilled."""

from lgd_mm.models.teachers.backbone import BackboneTeacher
from lgd_mm.models.teachers.open_clip import OpenCLIPTeacher

__all__ = ['BackboneTeacher', 'OpenCLIPTeacher']
