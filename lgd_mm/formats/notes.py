"""What is doubtful about a data set, said once and counted."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lgd_mm.console.printable import shortened
from lgd_mm.console.words import some

#: Examples of a kind that are kept.
EXAMPLES = 3


@dataclass
class Note:
    """Something doubtful.

    Attributes:
        what (str): What it is, before a number: ``'boxes reach beyond their image and are clipped'``.
        count (int): How often it is met.
        examples (list[str]): The first few of them.
    """

    what: str
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        such = f', such as {some(self.examples, EXAMPLES, "; ")}' if self.examples else ''
        return f'{self.what}: {self.count:,}{such}'


class Notes:
    """What is doubtful, in the order in which it is met first."""

    def __init__(self) -> None:
        self._found: dict[str, Note | str] = {}

    def add(self, what: str, example: object = None, count: int = 1) -> None:
        """Count one more.

        Args:
            what (str): What it is, to stand before a number.
            example (object, optional): Where: an image, a line of a file. Defaults to None.
            count (int): How many these are. Defaults to 1.
        """
        note = self._found.setdefault(what, Note(what))
        assert isinstance(note, Note)
        note.count += count
        if example is not None and len(note.examples) < EXAMPLES:
            note.examples.append(shortened(str(example)))

    def say(self, sentence: str) -> None:
        """Add what has no number.

        Args:
            sentence (str): Said once, however often it is added.
        """
        self._found.setdefault(sentence, sentence)

    def count(self, what: str) -> int:
        """How often something was met.

        Args:
            what (str): A part of what was said.
        """
        return sum(note.count for note in self._found.values() if isinstance(note, Note) and what in note.what)

    def __iter__(self) -> Iterator[Note | str]:
        return iter(self._found.values())

    def __str__(self) -> str:
        return '\n'.join(f'  {note}' for note in self)
