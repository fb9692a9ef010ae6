"""What every student is like, in a table that is read without importing torch or timm."""

from lgd_mm.student_table.heads import HEADS, SIMPLE_PYRAMID, heads
from lgd_mm.student_table.rows import FILE, StudentRow, read_table, write_table

__all__ = ['FILE', 'HEADS', 'SIMPLE_PYRAMID', 'StudentRow', 'heads', 'read_table', 'write_table']
