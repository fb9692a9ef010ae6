"""What a data set is made of: its archives, and the parts of the tree that the configs expect."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lgd_mm.preparation.tree import Tree


@dataclass(frozen=True)
class Archive:
    """A file to download.

    Args:
        name (str): As it is downloaded.
        url (str): The file, or the page that leads to it after a registration.
        size (str): For the reader, as in ``'18 GB'``.
        md5 (str, optional): Published sum. Defaults to None, which checks nothing.
        members (str): Regular expression of the paths to unpack; those in a tar inside it are
            ``inner.tar/path``. Defaults to ``''``, which unpacks none: the archive itself is read.
        target (str): Where a member goes, below the tree, with the groups of ``members``. Defaults to ``r'\\g<0>'``.
        fills (Sequence[str]): Paths of the parts that are whole once it is unpacked. Defaults to ().
        moved (bool): Whether a repair moves its files on, within those parts and under the same names. Defaults to
            False.
        required (bool): False: it is unpacked if it is there, and not asked for. Defaults to True.
    """

    name: str
    url: str
    size: str
    md5: str | None = None
    members: str = ''
    target: str = r'\g<0>'
    fills: Sequence[str] = ()
    moved: bool = False
    required: bool = True


@dataclass(frozen=True)
class Pictures:
    """A folder of images.

    Args:
        path (str): Folder below the tree.
        count (int, optional): Number of images. Defaults to None, any.
        suffixes (Sequence[str]): Endings of their names, in lower case. Defaults to ``('.jpg', '.jpeg', '.png')``.
        nested (bool): Whether each lies in one sub-folder (a class, a city) instead of in the folder itself.
        class_pattern (str, optional): Regular expression of the sub-folders' names. Defaults to None, any.
        classes (Callable, optional): Gives the names of all sub-folders. Defaults to None, any.
        class_count (int, optional): Number of sub-folders, where their names are not known. Defaults to None, any.
        required (bool): Defaults to True.
    """

    path: str
    count: int | None = None
    suffixes: Sequence[str] = ('.jpg', '.jpeg', '.png')
    nested: bool = False
    class_pattern: str | None = None
    classes: Callable[[], Sequence[str]] | None = None
    class_count: int | None = None
    required: bool = True


@dataclass(frozen=True)
class Masks:
    """A folder of label images, one for each image of another folder.

    Args:
        path (str): Folder below the tree.
        images (str): Path of their images.
        count (int): Number of masks.
        image_suffix (str): What of an image's name is replaced, e.g. ``'.jpg'``.
        mask_suffix (str): By what, e.g. ``'.png'``.
        labels (frozenset[int]): Values a mask may hold.
        nested (bool): See :class:`Pictures`. Defaults to False.
    """

    path: str
    images: str
    count: int
    image_suffix: str
    mask_suffix: str
    labels: frozenset[int]
    nested: bool = False


@dataclass(frozen=True)
class Annotations:
    """A JSON file in COCO's format.

    Args:
        path (str): File below the tree.
        count (int): Number of images it names.
        categories (Callable): Gives the names the configs expect, in the order of their ids.
        folder (str): Where the images of its ``file_name`` lie. Defaults to ``''``: the last two parts of its
            ``coco_url`` say it, as in LVIS.
    """

    path: str
    count: int
    categories: Callable[[], Sequence[str]]
    folder: str = ''


@dataclass(frozen=True)
class TextFile:
    """A file of texts about images, or of answers.

    Args:
        path (str): File below the tree.
        faults (Callable): Gives a sentence for each fault of the file, which is there, in the tree.
        rests_on (Sequence[str]): Paths of the parts that it describes or is made of. Defaults to ().
        made (bool): Whether it is made here, of those parts. Defaults to False.
        required (bool): Defaults to True.
    """

    path: str
    faults: Callable[[Tree], Iterator[str]]
    rests_on: Sequence[str] = ()
    made: bool = False
    required: bool = True


Part = Pictures | Masks | Annotations | TextFile


@dataclass(frozen=True)
class Repair:
    """Something wrong that the tool can repair.

    Args:
        problem (str): One sentence without its cure.
        parts (Sequence[str]): Paths of the parts that are not whole before it.
        run (Callable): Mends it; may be stopped and run again.
    """

    problem: str
    parts: Sequence[str]
    run: Callable[[], None]


@dataclass(frozen=True)
class DatasetSpec:
    """A data set as the configs expect it.

    Args:
        name (str): What the command calls it.
        title (str): What people call it.
        parts (Sequence[Part]): The tree.
        archives (Sequence[Archive]): What it is unpacked from. Defaults to ().
        top (str): Name that the tree's folder must have; the root may be this folder or the one around it. Defaults
            to ``''``, any: the root is the tree.
        repairs (Sequence[Callable]): What is done after unpacking, beside the layout; each gives the repairs that
            are due for the tree, this spec and the folders of the archives. Defaults to ().
        subsets (bool): Whether lists of 10 % and 1 % of the labels of ``train`` belong to it. Defaults to False.
        note (str): A sentence for those who download it. Defaults to ``''``.
        beside (Mapping[str, str]): What the configs read of other folders, as paths from the tree, and where it comes
            from. Defaults to none.
        shares (Sequence[str]): Names of the data sets that may lie in the same folder. Defaults to ().
    """

    name: str
    title: str
    parts: Sequence[Part]
    archives: Sequence[Archive] = ()
    top: str = ''
    repairs: Sequence[Callable[[Tree, 'DatasetSpec', Sequence[Path]], Iterator[Repair]]] = ()
    subsets: bool = False
    note: str = ''
    beside: Mapping[str, str] = field(default_factory=dict)
    shares: Sequence[str] = ()

    def tree(self, root: Path) -> Path:
        """The folder that holds the parts, which need not exist yet."""
        if not self.top or root.name == self.top or any((root / part.path).exists() for part in self.parts):
            return root
        return root / self.top

    def part(self, path: str) -> 'Part':
        """The part at a path."""
        return next(part for part in self.parts if part.path == path)

    def archive_folders(self, root: Path) -> list[Path]:
        """Where the user may have put the archives."""
        roots = [root, root.parent] if root.name == self.top else [root]
        return [folder for base in roots for folder in (base, base / 'downloads')]
