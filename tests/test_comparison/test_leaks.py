"""Test images among the unlabelled ones are known by their content."""

from unittest import mock

from lgd_mm.comparison import leaks
from lgd_mm.io import same_content


def test_each_image_is_read_once(tmp_path):
    photos, tested = tmp_path / 'photos', tmp_path / 'tested'
    for folder, colours in ((photos, range(8)), (tested, (3, 5, 9))):
        folder.mkdir()
        for colour in colours:
            (folder / f'{colour}{folder.name}.bmp').write_bytes(bytes([colour]) * 100)  # of one size
    (tested / 'longer.bmp').write_bytes(b'x' * 101)
    paths = [str(path) for path in sorted(tested.iterdir())] + [str(tested / 'gone.bmp')]
    with mock.patch.object(same_content, 'file_digest', side_effect=same_content.file_digest) as digest:
        assert leaks.among(str(photos), paths) == [str(tested / '3tested.bmp'), str(tested / '5tested.bmp')]
    assert digest.call_count <= 8 + len(paths)
