"""From a pre-trained student to any downstream config."""

from lgd_mm.io.key_report import KeyReport
from lgd_mm.students.export import export_checkpoint, export_runner
from lgd_mm.students.file import student_metadata, write_student
from lgd_mm.students.plug import plug_student
from lgd_mm.students.read import read_student

__all__ = [
    'KeyReport', 'export_checkpoint', 'export_runner', 'plug_student', 'read_student', 'student_metadata',
    'write_student'
]
