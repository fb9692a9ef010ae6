"""Pages that show the drawings with the names found, legible on a phone."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from lgd_mm.console.printable import printable
from lgd_mm.io.files import write_text
from lgd_mm.report.page import render_page

TEMPLATE = Path(__file__).with_name('page.html.jinja')
#: Images of a page.
EACH = 60


class Shown(NamedTuple):
    """One drawing.

    Attributes:
        title (str): Of its image.
        file (str): Below the folder of the page.
        names (list[str]): Found in it.
        video (str, optional): Of whose frames it is one, drawn, below that folder.
        width (int): Of the image, in pixels.
        height (int): Of the image, in pixels.
    """

    title: str
    file: str
    names: list[str]
    video: str | None
    width: int
    height: int

    @property
    def address(self) -> str:
        """Of the drawing; the bytes of a name that is no text, too."""
        return quote(os.fsencode(self.file))

    @property
    def video_address(self) -> str:
        """Of the drawn video."""
        return quote(os.fsencode(self.video or ''))


def write_pages(out: Path, title: str, count: int, shown: Iterable[Shown]) -> Path:
    """Write ``index.html``, and ``index-2.html`` and so on where there are many images.

    Args:
        out (Path): Folder of the drawings.
        title (str): Of the pages.
        count (int): Of the images.
        shown (Iterable[Shown]): The images.

    Returns:
        Path: The first page.
    """
    pages = -(-count // EACH)
    for number, part in enumerate(_parts(iter(shown)), 1):
        images = [image._replace(title=printable(image.title), names=list(map(printable, image.names)))
                  for image in part]
        write_text(out / _name(number), render_page(
            TEMPLATE, title=title, images=images, number=number, pages=pages,
            before=_name(number - 1) if number > 1 else None, after=_name(number + 1) if number < pages else None))
    return out / _name(1)


def _parts(shown: Iterator[Shown]) -> Iterator[list[Shown]]:
    while part := list(islice(shown, EACH)):
        yield part


def _name(number: int) -> str:
    return 'index.html' if number == 1 else f'index-{number}.html'
