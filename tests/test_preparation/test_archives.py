"""Archives: checked, unpacked safely, and gone on with after any stop."""

import io
import json
import multiprocessing
import os
import tarfile
import time

import pytest

from lgd_mm.errors import UserError
from lgd_mm.io.cache import cache_folder
from lgd_mm.preparation import archives
from lgd_mm.preparation.prepare import prepare
from lgd_mm.preparation.spec import Archive
from tests.test_preparation.trees import coco_archives, tar_bytes, write_zip

SIMPLE = Archive('a.tar', 'http://example.org/a.tar', '1 GB', members=r'in/([^/]+\.jpg)', target=r'out/\1')


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


def test_members_are_chosen_renamed_and_written_once(tmp_path):
    """A second run writes nothing, and leaves what it finds untouched."""
    (tmp_path / 'a.tar').write_bytes(tar_bytes({'in/1.jpg': b'one', './in/2.jpg': b'two', 'in/notes.txt': b'no'}))
    assert archives.unpack(SIMPLE, tmp_path / 'a.tar', tmp_path / 'tree') == 2
    assert files(tmp_path / 'tree') == ['out/1.jpg', 'out/2.jpg']
    before = (tmp_path / 'tree/out/1.jpg').stat()
    assert archives.unpack(SIMPLE, tmp_path / 'a.tar', tmp_path / 'tree') == 0
    assert (tmp_path / 'tree/out/1.jpg').stat() == before


def test_tars_inside_a_tar(tmp_path):
    """As ImageNet's training set is packed."""
    inner = tar_bytes({'n1_1.JPEG': b'1', 'n1_2.JPEG': b'22'})
    (tmp_path / 'a.tar').write_bytes(tar_bytes({'n1.tar': inner, 'n2.tar': tar_bytes({'n2_1.JPEG': b'333'})}))
    nested = Archive('a.tar', '', '', members=r'(n\d)\.tar/(\1_\d\.JPEG)', target=r'train/\1/\2')
    assert archives.unpack(nested, tmp_path / 'a.tar', tmp_path) == 3
    assert (tmp_path / 'train/n1/n1_2.JPEG').read_bytes() == b'22'
    assert (tmp_path / 'train/n2/n2_1.JPEG').read_bytes() == b'333'


def test_nothing_leaves_the_tree(tmp_path):
    """Paths that climb or start at the root, links and devices have no effect, whatever their names."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as archive:
        for name in ('in/good.jpg', '../in/up.jpg', 'in/../../up.jpg', '/in/root.jpg', 'in/sub/../../deep.jpg'):
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(b'data'))
        for name, kind in (('in/link.jpg', tarfile.SYMTYPE), ('in/hard.jpg', tarfile.LNKTYPE),
                           ('in/pipe.jpg', tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, '/etc/passwd'
            archive.addfile(info)
    (tmp_path / 'box').mkdir()
    (tmp_path / 'box/a.tar').write_bytes(buffer.getvalue())
    assert archives.unpack(SIMPLE, tmp_path / 'box/a.tar', tmp_path / 'box/tree') == 1
    assert files(tmp_path) == ['box/a.tar', 'box/tree/out/good.jpg']


def test_another_file_in_the_place_is_left(tmp_path):
    """It is named with both sizes."""
    (tmp_path / 'a.tar').write_bytes(tar_bytes({'in/1.jpg': b'one'}))
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/1.jpg').write_bytes(b'mine!')
    with pytest.raises(UserError, match=r'out/1.jpg has 5 bytes and 3 in a.tar: remove or rename it'):
        archives.unpack(SIMPLE, tmp_path / 'a.tar', tmp_path)
    assert (tmp_path / 'out/1.jpg').read_bytes() == b'mine!'


@pytest.mark.parametrize('name', ['a.tar', 'a.zip'])
def test_cut_off_archives(tmp_path, name):
    """Whole members stay, the cut one leaves no file under its name."""
    members = {f'in/{index}.jpg': os.urandom(20_000) for index in range(3)}
    path = tmp_path / name
    if name == 'a.zip':
        content = write_zip(path, members).read_bytes()
    else:
        content = tar_bytes(members)
    path.write_bytes(content[:50_000])
    with pytest.raises(UserError, match=f'{name} cannot be unpacked .*: download it again from http://example.org'):
        archives.unpack(SIMPLE, path, tmp_path / 'tree')
    whole = list((tmp_path / 'tree').rglob('[0-9].jpg'))
    assert all(item.stat().st_size == 20_000 for item in whole) and len(whole) == (2 if name == 'a.tar' else 0)


def test_zip_with_a_password(tmp_path):
    """It is no archive of the owner's."""
    path = write_zip(tmp_path / 'a.zip', {'in/1.jpg': b'one'})
    content = bytearray(path.read_bytes())
    for header, offset in ((b'PK\x03\x04', 6), (b'PK\x01\x02', 8)):  # the flags of the member, in both headers
        content[content.index(header) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match='a.zip cannot be unpacked .*password required.*: download it again from http'):
        archives.unpack(SIMPLE, path, tmp_path)


def test_archive_of_something_else(tmp_path):
    """Right name, wrong content, no published sum."""
    (tmp_path / 'a.tar').write_bytes(tar_bytes({'other/1.jpg': b'one'}))
    with pytest.raises(UserError, match='a.tar is another archive than http://example.org/a.tar'):
        archives.unpack(SIMPLE, tmp_path / 'a.tar', tmp_path / 'tree')


def test_sums_are_compared_and_remembered(tmp_path, monkeypatch):
    """A wrong sum is told with both; a right one is not computed twice, unless the file changes."""
    spec = coco_archives(tmp_path / 'downloads')
    path = tmp_path / 'downloads/val2017.zip'
    archive = next(archive for archive in spec.archives if archive.name == path.name)
    archives.verify(archive, path)
    with monkeypatch.context() as patch:
        patch.setattr(archives.hashlib, 'md5', None)
        archives.verify(archive, path)  # would fail if it computed
    path.write_bytes(path.read_bytes() + b'!')
    with pytest.raises(UserError, match=f'val2017.zip is damaged or incomplete, its MD5 is [0-9a-f]{{32}} instead of '
                       f'{archive.md5}: download it again from http://images.cocodataset.org/zips/val2017.zip'):
        prepare(spec, tmp_path, tell=lambda line: None)
    assert not (tmp_path / 'val2017').exists()


@pytest.mark.parametrize('planted', ['{entry}', '{{', '[]', '5', 'null', '[' * 100_000, '\xff'],
                         ids=['right', 'open', 'list', 'number', 'null', 'deep', 'bytes'])
def test_a_sum_is_not_taken_from_what_lies_beside_an_archive(tmp_path, planted):
    """Whoever has sent the archive may have sent that, too."""
    spec = coco_archives(tmp_path / 'downloads')
    path = tmp_path / 'downloads/val2017.zip'
    archive = next(archive for archive in spec.archives if archive.name == path.name)
    path.write_bytes(path.read_bytes() + b'!')
    status = path.stat()
    entry = json.dumps({path.name: [archive.md5, status.st_size, status.st_mtime_ns]})
    for folder in (tmp_path, path.parent):
        (folder / '.verified.json').write_bytes(planted.format(entry=entry).encode('latin-1'))
    with pytest.raises(UserError, match='val2017.zip is damaged or incomplete'):
        prepare(spec, tmp_path, tell=lambda line: None)
    assert not (tmp_path / 'val2017').exists()


def test_what_was_remembered_is_damaged(tmp_path):
    """It is computed again."""
    spec = coco_archives(tmp_path / 'downloads')
    path = tmp_path / 'downloads/val2017.zip'
    archive = next(archive for archive in spec.archives if archive.name == path.name)
    archives.verify(archive, path)
    [memory] = [file for file in cache_folder('verified').iterdir() if archive.md5 in file.read_text()
                and str(path.stat().st_mtime_ns) in file.read_text()]
    memory.write_bytes(b'\xff' * 10**6)
    archives.verify(archive, path)
    assert memory.read_text().startswith(archive.md5)


def test_an_unfinished_file_of_somebody_else_is_not_written_through(tmp_path):
    (tmp_path / 'a.tar').write_bytes(tar_bytes({'in/1.jpg': b'one'}))
    (tmp_path / 'out').mkdir()
    (tmp_path / 'other').write_text('stays')
    (tmp_path / 'out/.1.jpg.part').symlink_to(tmp_path / 'other')
    assert archives.unpack(SIMPLE, tmp_path / 'a.tar', tmp_path) == 1
    assert (tmp_path / 'other').read_text() == 'stays' and (tmp_path / 'out/1.jpg').read_bytes() == b'one'


def test_killed_while_unpacking(tmp_path, monkeypatch):
    """SIGKILL in the middle; the same call goes on, and every file is whole."""
    members = {f'in/{index:03}.jpg': bytes([index]) * 200_000 for index in range(100)}
    (tmp_path / 'a.tar').write_bytes(tar_bytes(members))

    def slowly(source, file, length):
        file.write(source.read(100_000))
        file.flush()
        time.sleep(0.02)
        file.write(source.read())

    with monkeypatch.context() as patch:
        patch.setattr(archives.shutil, 'copyfileobj', slowly)
        process = multiprocessing.get_context('fork').Process(
            target=archives.unpack, args=(SIMPLE, tmp_path / 'a.tar', tmp_path))
        process.start()
        while not (tmp_path / 'out/005.jpg').exists():
            assert process.is_alive()
            time.sleep(0.005)
        process.kill()
        process.join()
    done = len(list((tmp_path / 'out').glob('[0-9]*.jpg')))
    assert 5 < done < 100
    assert archives.unpack(SIMPLE, tmp_path / 'a.tar', tmp_path) == 100 - done
    assert {path.name: path.read_bytes() for path in (tmp_path / 'out').iterdir()} == {
        name.removeprefix('in/'): content for name, content in members.items()}
