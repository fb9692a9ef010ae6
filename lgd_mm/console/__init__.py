"""What a terminal is shown: lines of rank 0, tables, progress, interrupts."""

from lgd_mm.moved import moved_names

__getattr__ = moved_names(__name__, PlainConsole='lgd_mm.console.tables')
