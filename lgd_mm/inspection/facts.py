"""What is found in a data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lgd_mm.datasets.image_size import ImageSize
from lgd_mm.formats.labelled_set import LabelledImage, LabelledSet

#: Words of a sentence about many -> about one.
NOUNS = dict(images='image', classes='class', objects='object', masks='mask', boxes='box', polygons='polygon',
             lines='line', shapes='shape', annotations='annotation', files='file')
OTHERS = {'are': 'is', 'have': 'has', 'reach': 'reaches', 'lie': 'lies', 'their': 'its', 'them': 'it'}
#: Words behind which a verb is of others, as behind a noun in the plural.
OF_MANY = ('they', 'all', 'must')
#: Examples of a problem that are named.
EXAMPLES = 5


@dataclass(frozen=True)
class Problem:
    """Something that is wrong or doubtful.

    Attributes:
        what (str): What it is; stands behind the number, if there is one.
        count (int, optional): How often it is met. Defaults to None: it is a matter of the whole set.
        examples (Sequence[str]): Files, classes or places, the first few. Defaults to none.
        cure (str): What to do. Defaults to none: it is only said.
    """

    what: str
    count: int | None = None
    examples: Sequence[str] = ()
    cure: str = ''

    def __str__(self) -> str:
        number = '' if self.count is None else f'{self.count:,} '
        return f'{number}{self.said}' + (f': {self.cure}' if self.cure else '')

    @property
    def said(self) -> str:
        """What it is, of one if it is met once."""
        first, *others = self.what.split(' ')
        if self.count != 1 or first not in NOUNS:
            return self.what
        return ' '.join([NOUNS[first], *(word if before.endswith('s') or before in OF_MANY else OTHERS.get(word, word)
                                         for before, word in zip([first[:-1], *others], others))])


@dataclass(frozen=True)
class ClassCounts:
    """How often each class is there.

    Attributes:
        unit (str): What is counted: ``'objects'``, ``'images'`` or ``'images with it'``.
        of (Mapping[str, Mapping[str, int]]): Class -> part of the set -> count, for all classes and parts.
        looked_at (int, optional): Masks that were decoded for it. Defaults to None: all, or there are none.
    """

    unit: str
    of: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    looked_at: int | None = None

    def sorted(self) -> list[str]:
        """The classes, the most frequent first."""
        return sorted(self.of, key=lambda name: (-sum(self.of[name].values()), name))

    def lacking(self, part: str) -> list[str]:
        """The classes that a part of the set has none of.

        Args:
            part (str): Such as ``'val'``.
        """
        return [name for name, counts in self.of.items() if not counts[part]]


@dataclass(frozen=True)
class Inspection:
    """A folder as it was found.

    Attributes:
        folder (Path): The folder.
        labelled (LabelledSet, optional): What its format says; None for images without labels, or with such as cannot
            be read.
        form (str): Name of the format, or ``'images'``.
        parts (Mapping[str, Sequence[LabelledImage]]): The images of each part; ``''`` is the one of unlabelled images.
        sizes (Mapping[Path, ImageSize]): Of the images whose heads could be read.
        classes (ClassCounts): How often each class is there.
        problems (Sequence[Problem]): The worst first.
        heads (int): Images whose heads were looked at: all of them, unless they are very many.
    """

    folder: Path
    labelled: LabelledSet | None
    form: str
    parts: Mapping[str, Sequence[LabelledImage]]
    sizes: Mapping[Path, ImageSize]
    classes: ClassCounts
    problems: Sequence[Problem]
    heads: int

    @property
    def images(self) -> int:
        """How many there are, in all parts."""
        return sum(map(len, self.parts.values()))

    def named(self, path: Path) -> str:
        """A file as it is called in the folder.

        Args:
            path (Path): Of the file.
        """
        return str(path.relative_to(self.folder)) if path.is_relative_to(self.folder) else str(path)
