"""A student in the form that another library loads, checked by loading it there."""

from lgd_mm.exports.export import export_student
from lgd_mm.exports.report import ExportReport
from lgd_mm.exports.targets import TARGETS

__all__ = ['TARGETS', 'ExportReport', 'export_student']
