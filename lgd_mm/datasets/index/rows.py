"""What an index keeps of each image and of each source."""

import struct
import zlib

import numpy as np

#: An image: the number of its source (a shard or a folder), where it lies there, its bytes, and CRC-32 of its content,
#: xor that of all else, see :func:`said_checksum`. In a shard the place is counted in blocks of 512 bytes; in a folder
#: it is where the image's name stands among those of the folder.
IMAGE = np.dtype([('source', '<u4'), ('place', '<u4'), ('size', '<u4'), ('check', '<u4')])
#: The four of its bytes.
IMAGE_FIELDS = struct.Struct('<4I')
#: A source: where its own name begins, and where those of its images do.
SOURCE = np.dtype([('name', '<u8'), ('names', '<u8')])
#: Bytes of a block of a tar.
BLOCK = 512
#: Of what stands in the files.
FORMAT = 1


def shards_checksum(sources: bytes, names: bytes) -> int:
    """CRC-32 of the names of the shards, which are few: without it another name would be looked for.

    Args:
        sources (bytes): Rows of :data:`SOURCE`.
        names (bytes): What they lead to.
    """
    return zlib.crc32(names, zlib.crc32(sources))


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
