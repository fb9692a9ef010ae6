"""Tables of the classes of masks: which value or colour is which name."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from lgd_mm.console.printable import shown
from lgd_mm.errors import DataError
from lgd_mm.formats.mask_labels import Value
from lgd_mm.io.texts import read_text

#: Where a table is looked for, in this order, in the folder and in that of a part.
PLACES = ('classes.txt', 'labelmap.txt', 'class_dict.csv', '_classes.csv', 'classes.csv', 'label_colors.txt',
          'codes.txt')
#: Three numbers that are no end of a name, and behind which there is none.
COLOUR = re.compile(r'(?<!\w)(\d{1,3})[,\s]+(\d{1,3})[,\s]+(\d{1,3})(?!\w|[,\s]+\d+\b)')
#: Before the name, in a table of colours.
NUMBER = re.compile(r'^\d+\s*[,;\t]\s*')

#: Characters of a line.
LONGEST = 1000
#: Words of a head above a table.
HEADS = {'name', 'value', 'class', 'label', 'color', 'colour', 'r', 'id'}


@dataclass(frozen=True)
class ClassTable:
    """What values stand for.

    Attributes:
        names (dict[Value, str]): Name of each value or colour, in the order of the labels.
        source (Path): The file.
    """

    names: dict[Value, str]
    source: Path

    @property
    def colours(self) -> bool:
        """Whether it is of colours."""
        return any(isinstance(value, tuple) for value in self.names)


def find_table(root: Path, given: str | Path | None) -> ClassTable | None:
    """Read the table of a set.

    Args:
        root (Path): Folder of the set.
        given (str | Path, optional): The file, if the user names it.

    Returns:
        ClassTable, optional: None if there is none.

    Raises:
        UserError: If the file is not there, or is no table.
    """
    if given is not None:
        return read_table(Path(given))
    places = [path for name in PLACES for path in (root / name, root / 'train' / name)]
    return next((read_table(path) for path in places if path.is_file()), None)


def read_table(path: Path) -> ClassTable:
    """Read a table: names alone, one on each line, from value 0; ``value,name``; ``name,r,g,b``; or ``name:r,g,b::``.

    Args:
        path (Path): The file.

    Returns:
        ClassTable: At least one class.

    Raises:
        UserError: If it is none; names the line.
    """
    lines = [(number, line.strip()) for number, line in enumerate(read_text(path).rstrip().splitlines(), 1)]
    names: dict[Value, str] = {}
    plain = not any(COLOUR.search(line) or re.search(r'\d', line) and re.search(r'[,:\t]', line) for _, line in lines)
    for number, line in lines:
        value: Value
        if plain:
            value, name = number - 1, line
        elif not line or line.startswith('#') or _is_header(line):
            continue
        else:
            value, name = _row(path, number, line)
        if not name:
            raise DataError(f'{path}, line {number} has no name: write one on each line, without empty lines')
        if value in names or name in names.values():
            twice = shown(name) if name in names.values() else f'the value {value}'
            raise DataError(f'{path}, line {number} has {twice} for the second time: give each class one line')
        names[value] = name
    if not names:
        raise DataError(f'{path} names no class: write one on each line')
    kinds = {type(value) for value in names}
    if len(kinds) > 1:
        raise DataError(f'{path} has both numbers and colours: write one or the other on each line')
    return ClassTable(names, path)


def _row(path: Path, number: int, line: str) -> tuple[Value, str]:
    found = COLOUR.search(line)
    if found:
        colour = (int(found[1]), int(found[2]), int(found[3]))
        name = NUMBER.sub('', (line[:found.start()] or line[found.end():]).strip(' \t,:;"'))
        if max(colour) <= 255:
            return colour, name.partition(':')[0].strip()
    delimiter = '\t' if '\t' in line else ':' if ':' in line and ',' not in line else ','
    cells = next(csv.reader([line[:LONGEST]], delimiter=delimiter))
    cells = [cell.strip() for cell in cells if cell.strip()]
    if len(cells) == 2:
        for value, name in (cells, cells[::-1]):
            if value.isdecimal() and int(value) < 2**31:
                return int(value), name
    raise DataError(f'{path}, line {number} is {shown(line)}: write a value and a name, such as 1,cat, or a name and a '
                    'colour, such as cat,255,0,0')


def _is_header(line: str) -> bool:
    words = set(re.findall('[a-z]+', line.lower()))
    return not re.search(r'\d', line) and bool(words & HEADS)


