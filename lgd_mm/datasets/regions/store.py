"""Boxes of images and the features at them, on disk: what a detector sees, or a backbone in the cells of a grid."""

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lgd_mm.console.printable import shown
from lgd_mm.datasets.regions.about import ABOUT, FORMAT, PART, check_about, digest_of_names, fingerprint_of
from lgd_mm.datasets.regions.regions import Regions
from lgd_mm.datasets.regions.row import are_finite, fill_row, read_row, row_type
from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.io.rows import OpenFiles, check_empty, check_no_links, in_parts, is_whole, open_rows, saved, write_whole

#: What writes stores, for messages.
TOOL = 'tools/extract_regions.py'
#: What is told of entries of ``regions.json`` that differ.
WORDS = dict(images='list of images', names='list of images', tags='list of classes', most='number of regions',
             boxes='store of boxes', fingerprint='')
#: Bytes of ``images.txt``.
NAMES = 2**31


class RegionStore:
    """A folder with ``regions.json``, which says whose regions these are, ``images.txt``, the names of the images, and
    a file of rows for each part of them, memory-mapped.

    A row has the checksum of its regions, of its image's name and of the store: what was damaged, cut off, or copied
    from another store is told when it is read.

    Args:
        folder (str | Path): Of :meth:`create`.

    Attributes:
        about (dict): ``format``; ``detector``: digests of its ``config`` and its ``weights``; ``width`` D of a feature;
            ``most`` regions of an image; ``tags``, the names of the classes; ``grid`` G, if the regions are the cells
            of one; ``images`` (how many) and ``names`` (their digest); ``boxes``, the fingerprint of the store whose
            boxes these are, None if they are its own; ``with_map``, if features have the mean of the region's map;
            ``fingerprint`` of all that.
        names (list[str]): Of the images, in order.

    Raises:
        UserError: If there is no store, or one of another version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        file = self.folder / 'regions.json'
        try:
            self.about: dict[str, Any] = json.loads(read_plain(file, ABOUT))
            check_about(self.about)
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise UserError(f'{file} cannot be read ({error}): {self.folder} is no store of regions; make one with '
                            f'python {TOOL} CONFIG CHECKPOINT --out {self.folder}') from error
        self.names = self._read_names()
        self._row = row_type(self.about['width'], self.about['most'])
        self._files = OpenFiles()

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    @classmethod
    def create(cls, folder: str | Path, about: dict[str, Any], names: Sequence[str]) -> 'RegionStore':
        """Begin a store, or go on with one of the same regions.

        Args:
            folder (str | Path): Is made.
            about (dict): See :attr:`about`, without ``format``, ``images``, ``names`` and ``fingerprint``.
            names (Sequence[str]): Of the images, in order.

        Returns:
            RegionStore: Without rows, or with those that are there.

        Raises:
            UserError: If the folder holds a store of something else, other files, or links in place of its own.
        """
        file, listed = Path(folder) / 'regions.json', Path(folder) / 'images.txt'
        about = dict(format=FORMAT, **about, images=len(names), names=digest_of_names(names))
        about['fingerprint'] = fingerprint_of(about)
        if not file.exists():
            check_empty(file, 'store of regions')
            write_whole(file, json.dumps(about, indent=1).encode())
        if not listed.exists() and _said(file) == about:
            write_whole(listed, ''.join(f'{name}\n' for name in names).encode('utf-8', 'surrogateescape'))
        store = cls(folder)
        differing = [WORDS.get(key, key) for key, value in about.items() if store.about.get(key) != value]
        if differing:
            what = ', '.join(dict.fromkeys(filter(None, differing)))
            raise UserError(f'{folder} is a store of regions with another {what}: give another --out, or remove it')
        check_no_links(store.folder, ['regions*'], 'store')
        return store

    def parts(self) -> Iterator[tuple[int, range]]:
        """Number of each part and its images, in order."""
        return parts_of(len(self))

    def file(self, part: int) -> Path:
        """Where the rows of a part lie."""
        return self.folder / 'regions' / f'{part:05d}.npy'

    def missing(self) -> list[tuple[int, range]]:
        """The parts that are not there yet, or not whole."""
        return [(part, images) for part, images in self.parts()
                if not is_whole(self.file(part), self._row, len(images))]

    def check_complete(self) -> None:
        """See that all parts are there.

        Raises:
            UserError: If one is missing.
        """
        missing = len(self.missing())
        if missing:
            raise UserError(f'the store of regions {self.folder} lacks {missing} of its {len(list(self.parts()))} '
                            f'files: call {TOOL} again, it goes on where it stopped')

    def write(self, part: int, regions: Sequence[Regions]) -> None:
        """Add a part; it is there as a whole or not at all.

        Args:
            part (int): Its number.
            regions (Sequence[Regions]): Of its images, in order.

        Raises:
            UserError: If it cannot be written, or a feature is not finite.
        """
        rows = np.zeros(len(regions), self._row)
        for place, each in enumerate(regions):
            name = self.names[part * PART + place]
            if not are_finite(each.features):
                raise UserError(f'features of image {shown(name)} are NaN, infinite or beyond 65,504, the largest of '
                                'float16: give another checkpoint of the detector')
            fill_row(rows[place], each, self._key(name))
        write_whole(self.file(part), saved(rows))

    def row(self, name: str) -> Regions:
        """The regions of an image.

        Args:
            name (str): One of :attr:`names`.

        Raises:
            UserError: If there is no such image, or its row is damaged.
        """
        place = self._places.get(name)
        if place is None:
            raise UserError(f'the store of regions {self.folder} has no image {shown(name)}: make it of all images '
                            f'with {TOOL}')
        part, place = divmod(place, PART)
        rows = self._files.rows(part, lambda: open_rows(
            self.file(part), self._row, min(PART, len(self) - part * PART), 'store of regions', TOOL, scattered=True))
        try:
            return read_row(rows[place], self._key(name), len(self.about['tags']))
        except ValueError as error:
            raise UserError(f'{self.file(part)} is damaged at image {shown(name)} ({error}): remove it and call '
                            f'{TOOL} again, it makes this file anew') from error

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def _key(self, name: str) -> bytes:
        """What makes a row that of an image in this store."""
        return f'{self.about["fingerprint"]}\0{name}'.encode('utf-8', 'surrogateescape')

    def _read_names(self) -> list[str]:
        file = self.folder / 'images.txt'
        try:
            names = read_plain(file, NAMES).decode('utf-8', 'surrogateescape').split('\n')[:-1]
        except OSError as error:
            raise UserError(f'{file} cannot be read ({error.strerror or error}): call {TOOL} again, it writes what is '
                            'missing') from error
        if len(names) != self.about['images'] or digest_of_names(names) != self.about['names']:
            raise UserError(f'{file} is not the list of the images of this store: remove it and call {TOOL} again')
        return names


def parts_of(count: int) -> Iterator[tuple[int, range]]:
    """Number of each part of so many images, and its images."""
    return in_parts(count, PART)


def _said(file: Path) -> Any:
    """What a file of JSON says; None if it is none, and opening the store tells why."""
    try:
        return json.loads(read_plain(file, ABOUT))
    except (OSError, ValueError, RecursionError):
        return None
