"""From a pre-trained student to any downstream config."""

from lgd_mm.transfer.export import export_checkpoint, export_runner
from lgd_mm.transfer.plug import KeyReport, plug_student
from lgd_mm.transfer.student import read_student, student_metadata, write_student

__all__ = [
    'KeyReport', 'export_checkpoint', 'export_runner', 'plug_student', 'read_student', 'student_metadata',
    'write_student'
]
