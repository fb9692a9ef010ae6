"""What a folder of one's own data holds, whatever its format."""

from dataclasses import dataclass

from lgd_mm.console.words import some


@dataclass(frozen=True)
class OwnFolder:
    """What was found in a folder.

    Attributes:
        root (str): The folder.
        classes (tuple[str, ...]): Names in the order of the labels.
        images (dict[str, str]): Folders of ``'train'`` and ``'val'`` below ``root``.
        counts (dict[str, int]): Numbers of images in both.
    """

    root: str
    classes: tuple[str, ...]
    images: dict[str, str]
    counts: dict[str, int]

    def __str__(self) -> str:
        count = len(self.classes)
        return (f'{self.root}: {self.counts["train"]} images to train and {self.counts["val"]} to test with, '
                f'{count} class{"" if count == 1 else "es"}: {some(self.classes, 8)}')
