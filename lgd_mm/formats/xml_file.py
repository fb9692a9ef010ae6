"""The elements of an XML file that somebody else wrote."""

import xml.etree.ElementTree as ElementTree  # nosec B405  # expat itself bounds what entities grow to
from contextlib import suppress
from pathlib import Path

from lgd_mm.console.printable import shortened, shown
from lgd_mm.errors import DataError
from lgd_mm.own_data.check_annotations import is_number
from lgd_mm.preparation.xml_text import read_xml_text

Element = ElementTree.Element


def read_xml(path: Path, tag: str) -> Element:
    """Read a file.

    Args:
        path (Path): The file.
        tag (str): Of its outermost element.

    Returns:
        Element: The outermost one; entities of its own are bounded, and no other file is read.

    Raises:
        UserError: If it cannot be read, is no XML, or another element is the outermost.
    """
    try:
        found = ElementTree.fromstring(read_xml_text(path))  # nosec B314  # likewise
    except (ElementTree.ParseError, OSError) as error:
        raise DataError(f'{path} is no valid XML ({error}): correct it') from error
    if found.tag != tag:
        raise DataError(f'{path} is a <{shortened(found.tag)}> and no <{tag}>: replace it')
    return found


def number(text: str | None, where: str) -> float:
    """Read a number.

    Args:
        text (str, optional): As the file has it.
        where (str): File and element, for the sentence.

    Raises:
        UserError: If it is none, or not finite.
    """
    with suppress(ValueError):
        if is_number(value := float(text or '')):
            return value
    raise DataError(f'{where} is {shown(text)} and should be a number: correct it')
