"""Which format a folder is of, by the names of its files and the first words in one of them."""

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from lgd_mm.console.words import there_are
from lgd_mm.errors import DataError, UserError
from lgd_mm.formats.image_index import files_below
from lgd_mm.io.files import open_plain
from lgd_mm.io.image_files import EXTENSIONS

if TYPE_CHECKING:
    from lgd_mm.formats.labelled_set import LabelledSet

#: Formats by their names, and the modules that read them.
FORMATS = {'coco': 'coco', 'yolo': 'yolo', 'voc': 'voc', 'labelme': 'labelme', 'cvat': 'cvat',
           'supervisely': 'supervisely', 'masks': 'mask_folders', 'csv': 'label_table', 'folders': 'image_folders'}
#: Bytes at the beginning of a file that tell what it is.
HEAD = 2**16
#: Files of a kind that are looked at.
LOOKED_AT = 20
#: Keys of COCO's JSON; of a large file, what may stand before the images is seen alone.
COCO, COCO_BEGINS = (re.compile(rb'"(images|annotations%s)"\s*:' % more) for more in
                     (b'', b'|categories|licenses|info'))
NUMBERS = re.compile(r'\s*\d+(\s+-?[\d.]+(e-?\d+)?){4,}\s*', re.IGNORECASE)


def recognise(root: Path) -> str:
    """Tell the format of a folder.

    Args:
        root (Path): The folder.

    Returns:
        str: One of :data:`FORMATS`.

    Raises:
        UserError: If it is of none, or looks like several.
    """
    if not root.is_dir():
        raise UserError(f'{root} is no folder: give one as in docs/own_data.md')
    signs: dict[str, Callable[[Path], bool]] = dict(
        coco=_is_coco, supervisely=_is_supervisely, labelme=_is_labelme, cvat=_is_cvat, voc=_is_voc, yolo=_is_yolo)
    found = [name for name, sign in signs.items() if sign(root)]
    if not found:
        rest: dict[str, Callable[[Path], bool]] = dict(masks=_is_masks, csv=_is_csv, folders=_is_folders)
        found = [next((name for name, sign in rest.items() if sign(root)), '')]
    if len(found) > 1:
        raise DataError(f'{root} looks like {" and like ".join(found)}: take away what is not to be read, or convert '
                        f'it with lgd-mm convert {root} OUT --from {found[0]}')
    if not found[0]:
        raise DataError(f'{root} is of no format that is known ({", ".join(FORMATS)}): see docs/own_data.md')
    return found[0]


def is_known(root: Path) -> bool:
    """Whether a folder is of some format.

    Args:
        root (Path): The folder.
    """
    try:
        recognise(root)
    except UserError:
        return False
    return True


def check_format(name: str | None) -> None:
    """See that a format is one.

    Args:
        name (str, optional): As the user gave it.

    Raises:
        UserError: If it is not.
    """
    if name is not None and name not in FORMATS:
        raise UserError(f'no format is called {name!r}; {there_are(name, FORMATS)}')


def check_share(val_share: float) -> None:
    """See that a share of the images can be one.

    Args:
        val_share (float): As the user gave it.

    Raises:
        UserError: If it cannot.
    """
    if not 0 < val_share < 1:
        raise UserError(f'--val-share is {val_share:g}, and should be between 0 and 1, such as 0.2')


def check_options(name: str, folder: str | Path, given: Mapping[str, object]) -> None:
    """See that what is given for masks is given for masks.

    Args:
        name (str): Of the format.
        folder (str | Path): Of the set, for the sentence.
        given (Mapping[str, object]): ``void`` and ``class_table``, unless they are None.

    Raises:
        UserError: If the format is another one.
    """
    option = next((key for key, value in given.items() if value is not None), None)
    if option and name != 'masks':
        raise UserError(f'--{option.replace("_", "-")} is for images and masks, and {folder} is of the format {name}: '
                        'leave it out')


def reader_of(name: str) -> Callable[..., 'LabelledSet']:
    """The function that reads a format.

    Args:
        name (str): One of :data:`FORMATS`.
    """
    return import_module(f'lgd_mm.formats.{FORMATS[name]}').read  # they bring torch along


def _is_coco(root: Path) -> bool:
    return any((COCO if len(head) < HEAD else COCO_BEGINS).search(head) and b'"shapes"' not in head
               and b'"classTitle"' not in head for head in _heads(root, '.json'))


def _is_supervisely(root: Path) -> bool:
    return (root / 'meta.json').is_file() and b'"classes"' in _head(root / 'meta.json')


def _is_labelme(root: Path) -> bool:
    return any(re.search(rb'"(shapes|imageData)"\s*:', head) for head in _heads(root, '.json'))


def _is_cvat(root: Path) -> bool:
    return any(_root_tag(head) == b'annotations' for head in _heads(root, '.xml'))


def _is_voc(root: Path) -> bool:
    return any(_root_tag(head) == b'annotation' for head in _heads(root, '.xml'))


def _is_yolo(root: Path) -> bool:
    from lgd_mm.formats.yolo_yaml import yaml_file
    if yaml_file(root):
        return True
    return any(NUMBERS.fullmatch(line) for path in islice(files_below(root, ('.txt',)), LOOKED_AT)
               for line in _head(path).decode(errors='replace').splitlines()[:1])


def _is_masks(root: Path) -> bool:
    from lgd_mm.formats.mask_pairs import find_folders
    return bool(find_folders(root))


def _is_csv(root: Path) -> bool:
    from lgd_mm.formats.table_columns import tables
    return bool(tables(root))


def _is_folders(root: Path) -> bool:
    return any(path.parent != root for path in files_below(root, EXTENSIONS))


def _root_tag(head: bytes) -> bytes:
    """The outermost element of an XML file, in whatever encoding with one byte for each of ASCII's letters."""
    found = re.search(rb'<([A-Za-z_][\w.-]*)', head.replace(b'\0', b''))
    return found[1] if found else b''


def _heads(root: Path, ending: str) -> Iterator[bytes]:
    yield from map(_head, islice(files_below(root, (ending,)), LOOKED_AT))


def _head(path: Path) -> bytes:
    try:
        with open_plain(path) as file:
            return file.read(HEAD)
    except OSError:
        return b''
