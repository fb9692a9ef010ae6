"""What an index keeps of each image and of each source."""

import zlib
from pathlib import Path

import numpy as np

#: An image: the number of its source (a shard or a folder), where it lies there, its bytes, and CRC-32 of its content,
#: xor that of all else, see :func:`said_checksum`. In a shard the place is counted in blocks of 512 bytes; in a folder
#: it is where the image's name stands among those of the folder.
IMAGE = np.dtype([('source', '<u4'), ('place', '<u4'), ('size', '<u4'), ('check', '<u4')])
#: A source: where its own name begins, and where those of its images do.
SOURCE = np.dtype([('name', '<u8'), ('names', '<u8')])
#: Bytes of a block of a tar.
BLOCK = 512
#: Files with the sources and their names.
NAMES = ('sources.npy', 'names.bin')
#: Of what stands in the files.
FORMAT = 1


def shards_checksum(*files: Path) -> int:
    """CRC-32 of the names of the shards, which are few: without it another name would be looked for.

    Args:
        *files (Path): :data:`NAMES` in a folder.
    """
    check = 0
    for file in files:
        check = zlib.crc32(file.read_bytes(), check)
    return check


def said_checksum(number: int, source: bytes, place: int, size: int, name: bytes) -> int:
    """CRC-32 of what an index says of an image.

    Args:
        number (int): Of the image.
        source (bytes): Name of its shard or folder.
        place (int): See :data:`IMAGE`.
        size (int): Bytes of the image.
        name (bytes): Of the image; of one in a shard empty.
    """
    return zlib.crc32(b'%d %d %d %b\0%b' % (number, place, size, source, name))
