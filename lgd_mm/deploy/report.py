"""What an export of a whole network wrote, and how it was checked."""

from dataclasses import dataclass
from pathlib import Path

from lgd_mm.costs.report import Timing
from lgd_mm.deploy.compare import Agreement


@dataclass(frozen=True)
class DeployReport:
    """One export.

    Attributes:
        target (str): Of :data:`lgd_mm.deploy.targets.WHOLE_TARGETS`.
        folder (Path): Where it lies.
        files (tuple[Path, ...]): What was written.
        library (str): What ran it, with its version.
        compared (str): Which images.
        agreement (Agreement): With the network itself.
        notes (tuple[str, ...]): What else is to be known, one sentence each.
        timings (tuple[Timing, ...]): Of one image.
        usage (str): Code that predicts.
    """

    target: str
    folder: Path
    files: tuple[Path, ...]
    library: str
    compared: str
    agreement: Agreement
    notes: tuple[str, ...]
    timings: tuple[Timing, ...]
    usage: str

    def __str__(self) -> str:
        lines = [f'{self.target}: {self.folder}: {", ".join(file.name for file in self.files)}',
                 f'  run by {self.library} on images {self.compared}, and compared with the network itself:',
                 f'  {self.agreement}']
        lines += [f'  {note}' for note in self.notes]
        return '\n'.join([*lines, '', *(f'    {line}' for line in self.usage.splitlines())])
