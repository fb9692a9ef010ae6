"""What an export wrote and how it was checked."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Difference(NamedTuple):
    """How far two forms of a student are apart.

    Attributes:
        largest (float): Absolute.
        relative (float): As a part of the largest value of the outputs it was found in.
    """

    largest: float
    relative: float

    @classmethod
    def largest_of(cls, differences: Iterable['Difference']) -> 'Difference':
        """The largest of several, each figure by itself."""
        return cls(*(max(figures) for figures in zip(*differences)))


@dataclass(frozen=True)
class ExportReport:
    """One export.

    Attributes:
        target (str): One of :data:`lgd_mm.exports.TARGETS`.
        folder (Path): Where it lies.
        files (tuple[Path, ...]): What was written.
        library (str): What loaded it again, with its version.
        difference (float): Largest absolute difference from the student's own outputs, on the same image.
        relative (float): The same as a part of the largest output.
        tolerance (float): What ``relative`` may be at most.
        usage (str): Code that loads it.
        notes (tuple[str, ...]): What else is to be known, one sentence each.
    """

    target: str
    folder: Path
    files: tuple[Path, ...]
    library: str
    difference: float
    relative: float
    tolerance: float
    usage: str
    notes: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f'{self.target}: {self.folder}: {", ".join(file.name for file in self.files)}',
                 f'  loaded by {self.library}: differs by at most {self.difference:.2g} '
                 f'({self.relative:.1g} of the largest output, {self.tolerance:g} allowed)']
        lines += [f'  {note}' for note in self.notes]
        return '\n'.join(lines + ['', *(f'    {line}' for line in self.usage.splitlines())])
