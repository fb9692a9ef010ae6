"""What of a data set decides the hash of a run."""

import shutil

from lgd_mm.io.digests import ENDS, LARGE_PNG, folder_digest


def digest(folder) -> str:
    folder_digest.cache_clear()
    return folder_digest(folder)


def test_names_sizes_and_annotations_count(tmp_path):
    """Not the folder's own place, hidden files or the pixels of a photograph."""
    data = tmp_path / 'set'
    (data / 'images').mkdir(parents=True)
    (data / 'images' / 'a.jpg').write_bytes(b'one')
    (data / 'labels.json').write_text('{"a": 1}')
    first = digest(data)
    assert digest(shutil.copytree(data, tmp_path / 'copy')) == first
    (data / '.cache').write_text('x')
    (data / 'images' / 'a.jpg').write_bytes(b'two')
    assert digest(data) == first
    (data / 'labels.json').write_text('{"a": 2}')
    second = digest(data)
    (data / 'images' / 'a.jpg').rename(data / 'images' / 'b.jpg')
    third = digest(data)
    (data / 'images' / 'b.jpg').write_bytes(b'longer')
    assert len({first, second, third, digest(data)}) == 4


def test_masks_are_read(tmp_path):
    """Small PNG files whole, large ones at both ends."""
    (tmp_path / 'mask.png').write_bytes(b'a' * 100)
    first = digest(tmp_path)
    (tmp_path / 'mask.png').write_bytes(b'a' * 50 + b'b' + b'a' * 49)
    assert digest(tmp_path) != first
    large = bytearray(LARGE_PNG + ENDS)
    (tmp_path / 'mask.png').write_bytes(large)
    second = digest(tmp_path)
    large[LARGE_PNG // 2] = 1
    (tmp_path / 'mask.png').write_bytes(large)
    assert digest(tmp_path) == second
    large[-1] = 1
    (tmp_path / 'mask.png').write_bytes(large)
    assert digest(tmp_path) != second
