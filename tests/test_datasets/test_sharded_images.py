"""Shards: the same views as of the folder, what is skipped, and what is refused."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lgd_mm.datasets import ShardedImages, tar_index
from lgd_mm.errors import UserError
from lgd_mm.preparation import archives
from lgd_mm.preparation.spec import Archive
from tests.test_datasets.test_image_folder import PIPELINE, dataset, loaded
from tests.tiny import write_images


def sharded(root, **options):
    return ShardedImages(data_root=str(root), pipeline=PIPELINE, **options)


def write_shards(folder, source, names, each):
    """Names of ``source`` in their given order, ``each`` to a shard."""
    folder.mkdir()
    for number, start in enumerate(range(0, len(names), each)):
        with tarfile.open(folder / f'train-{number:06}.tar', 'w') as tar:
            for name in names[start:start + each]:
                tar.add(source / name, f'./{name}')


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'cache'))


@pytest.fixture
def source(tmp_path):
    """Ten images in two folders."""
    write_images(tmp_path / 'source', 10)
    return tmp_path / 'source'


@pytest.fixture
def shards(tmp_path, source):
    """Four of them, in no order, with labels beside some images."""
    names = [str(path.relative_to(source)) for path in sorted(source.rglob('*.png'), key=lambda path: path.name[::-1])]
    (source / 'part0/0000.cls').write_text('3')
    write_shards(tmp_path / 'shards', source, [*names, 'part0/0000.cls'], 3)
    return tmp_path / 'shards'


def index_files(tmp_path):
    return sorted((tmp_path / 'cache/tar_index').iterdir())


@pytest.mark.parametrize('workers', [0, 2])
def test_views_of_shards_are_those_of_the_folder(source, shards, workers):
    """In the main process and in workers, for every seed and epoch."""
    data, reference = sharded(shards), dataset(source)
    for seed, epoch in ((0, 0), (0, 1), (7, 0)):
        assert torch.equal(loaded(data, workers, epoch, seed=seed), loaded(reference, epoch=epoch, seed=seed))
    assert len(data) == 10 and not data.unreadable


def test_damaged_images_are_skipped_and_counted(source, shards):
    """By the same rule as in a folder: the next one takes their place."""
    index = tar_index.tar_index(str(shards / 'train-000001.tar'))
    with open(shards / 'train-000001.tar', 'r+b') as file:
        file.seek(index[1].offset + 100)
        file.write(bytes(index[1].size - 100))
    broken = source / index[1].name
    broken.write_bytes(broken.read_bytes()[:100])
    for workers in (0, 2):
        data, reference = sharded(shards), dataset(source)
        assert torch.equal(loaded(data, workers), loaded(reference, workers))
        [path] = data.unreadable
        assert path.startswith(f'tar://{shards}/train-000001.tar#{index[1].name}@')
        assert reference.unreadable == [str(broken)]


def test_the_index_is_kept_until_the_shard_changes(tmp_path, source, shards, monkeypatch):
    views = loaded(sharded(shards))
    assert len(index_files(tmp_path)) == 4
    with monkeypatch.context() as patch:
        patch.setattr(tar_index, 'read_members', None)  # would raise
        assert torch.equal(loaded(sharded(shards)), views)
    index_files(tmp_path)[0].write_text('{"damaged": ')
    with tarfile.open(shards / 'train-000000.tar', 'w') as tar:
        tar.add(source / 'part1/0001.png', 'only.png')
    assert len(sharded(shards)) == 8
    assert all(json.loads(path.read_text())['members'] for path in index_files(tmp_path))


def test_without_a_cache_it_works_too(tmp_path, shards, monkeypatch):
    (tmp_path / 'file').touch()
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'file'))
    assert len(sharded(shards)) == 10


def test_missing_shards(tmp_path, shards):
    """A folder, a number, the target of a link, and one that goes while training runs."""
    with pytest.raises(UserError, match='nowhere holds no shard'):
        sharded(shards / 'nowhere')
    data = sharded(shards)
    for path in shards.iterdir():
        path.rename(tmp_path / path.name)
    for workers in (0, 1):
        with pytest.raises(UserError, match=r'train-00000\d.tar is gone'):
            loaded(data, workers)
    assert not data.unreadable
    for number in (0, 1, 3):
        shutil.copy(tmp_path / f'train-00000{number}.tar', shards)
    with pytest.raises(UserError, match='shard .*shards/train-000002.tar is missing'):
        sharded(shards)
    (shards / 'train-000002.tar').symlink_to(tmp_path / 'none.tar')
    with pytest.raises(UserError, match='train-000002.tar cannot be read .No such file'):
        sharded(shards)


def test_other_numbers_have_gaps(shards):
    """Of years, say."""
    for path in shards.iterdir():
        path.rename(shards / f'{2010 + 2 * int(path.stem[-1])}.tar')
    assert len(sharded(shards)) == 10


def cut_within_a_member(content: bytes) -> bytes:
    return content[:len(content) // 2]


def cut_between_members(content: bytes) -> bytes:
    return content.rstrip(b'\0')[:-1].rpartition(b'./part')[0]


def damaged_head(content: bytes) -> bytes:
    place = content.rindex(b'./part')
    return content[:place + 100] + b'x' * 60 + content[place + 160:]


@pytest.mark.parametrize('damage', [cut_within_a_member, cut_between_members, damaged_head, gzip.compress,
                                    lambda _: b'', lambda _: b'no tar'])
def test_shards_that_are_not_whole(shards, damage):
    path = shards / 'train-000001.tar'
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match='train-000001.tar is no whole uncompressed tar .* copy or make it again'):
        sharded(shards)


def test_what_is_no_image_file(tmp_path):
    """Links and folders in a tar have no effect, and it needs an image."""
    Image.new('RGB', (40, 40)).save(tmp_path / 'outside.png')
    (tmp_path / 'shards').mkdir()
    with tarfile.open(tmp_path / 'shards/a.tar', 'w') as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo(f'{kind.decode()}.png')
            info.type, info.linkname = kind, str(tmp_path / 'outside.png')
            tar.addfile(info)
    with pytest.raises(UserError, match='1 shards in .* hold no image'):
        sharded(tmp_path / 'shards')


def test_a_file_with_two_names_is_there_twice(tmp_path, source):
    """tar keeps the second as a hard link to the first."""
    (source / 'part0/twin.png').hardlink_to(source / 'part1/0001.png')
    write_shards(tmp_path / 'linked', source, ['part0/0000.png', 'part0/twin.png', 'part1/0001.png'], 3)
    with tarfile.open(tmp_path / 'linked/train-000000.tar') as tar:
        assert [info.islnk() for info in tar] == [False, False, True]
    data = ShardedImages(data_root=str(tmp_path / 'linked'), pipeline=[dict(type='lgd_mm.LoadImage')])
    images = [data[index, 0, 0]['img'] for index in range(len(data))]
    assert len(images) == 3 and np.array_equal(images[1], images[2]) and not np.array_equal(images[0], images[1])


def test_names_with_signs_of_the_path(tmp_path, source):
    """Its marks may be in the names of folders, shards and members."""
    folder = tmp_path / 'a#b@1+2'
    folder.mkdir()
    with tarfile.open(folder / 'c#d@3+4.tar', 'w') as tar:
        tar.add(source / 'part0/0000.png', 'e.tar#f@5+6.png')
    data = sharded(folder)
    data[0, 1]
    assert len(data) == 1 and not data.unreadable


def test_the_command_of_the_docs(tmp_path, source):
    """It makes shards of a folder."""
    text = (Path(__file__).parents[2] / 'docs/datasets.md').read_text()
    command = next(line for line in text.splitlines() if '--filter' in line).strip().replace('10000', '4')
    shutil.move(source, tmp_path / 'data/imagenet/train')
    root = tmp_path / 'data/imagenet_shards'
    (root / 'train').mkdir(parents=True)
    subprocess.run(command, shell=True, check=True, cwd=tmp_path / 'data/imagenet/train')
    assert sorted(path.name for path in (root / 'train').iterdir()) == [f'train-00000{index}.tar' for index in range(3)]
    data = sharded(root, data_prefix=dict(img_path='train'))
    assert torch.equal(loaded(data), loaded(dataset(tmp_path / 'data/imagenet/train')))


def member(name, size, kind=tarfile.REGTYPE, content=b''):
    """A head, whatever follows."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT) + content.ljust(-len(content) % 512 + len(content), b'\0')


END = bytes(1024)


@pytest.mark.parametrize('content', [
    member('a.png', 2**40, content=b'a') + END, member('a.png', 2**62) + END,
    member('a.png', -512) + member('b.png', 1, content=b'b') + END, member('a.png', -2**40) + END,
    member('a', -512, tarfile.CONTTYPE) + END, member('a', -512, b'Z') + END, member('a', -1024, tarfile.XHDTYPE) + END,
    member('a', -512, tarfile.GNUTYPE_SPARSE) + END, member('a', 2**62, tarfile.XHDTYPE) + END,
    member('a', 2**62, tarfile.GNUTYPE_LONGNAME) + END,
    member('a', 2**40, tarfile.GNUTYPE_LONGNAME, b'a') + END,
    member('a', 20, tarfile.XHDTYPE, b'20 size=-1\n') + member('a.png', 1, content=b'a') + END,
    member('a', 9, tarfile.XHDTYPE, b'9 size=x\n') + member('a.png', 1, content=b'a') + END])
def test_numbers_in_a_tar_are_compared_with_its_size(tmp_path, content):
    """Nothing is read, and no memory taken, by them."""
    (tmp_path / 'a.tar').write_bytes(content)
    signal.alarm(20)
    with pytest.raises(UserError, match='a.tar is no whole uncompressed tar'):
        tar_index.tar_index(str(tmp_path / 'a.tar'))
    signal.alarm(0)


def test_a_pipe_is_no_shard(tmp_path):
    os.mkfifo(tmp_path / 'a.tar')
    with pytest.raises(UserError, match='a.tar cannot be read .it is a pipe'):
        tar_index.tar_index(str(tmp_path / 'a.tar'))


@pytest.mark.parametrize('numbers', [[0, 2**40], [-1, 5], [0, True], [0, 1.0], ['0', 1]])
def test_a_kept_index_that_was_changed_is_made_anew(tmp_path, shards, numbers):
    shard = str(shards / 'train-000000.tar')
    index = tar_index.tar_index(shard)
    kept, = index_files(tmp_path)
    content = json.loads(kept.read_text())
    content['members'][0][1:] = numbers
    kept.write_text(json.dumps(content))
    assert tar_index.tar_index(shard) == index


def test_numbers_are_not_counted_up_to(shards):
    """Of a date, or of seconds since 1970, there are more than memory holds."""
    for name in ('train-20240101.tar', 'train-1732900000.tar', f'train-{"9" * 200}.tar'):
        shutil.copy(shards / 'train-000000.tar', shards / name)
        with pytest.raises(UserError, match='shard .*shards/train-000004.tar is missing, of [0-9,]* that should be'):
            sharded(shards)
    for path in shards.iterdir():
        path.rename(shards / 'train-1732900000.tar')
    assert len(sharded(shards)) < 10


HEADS = [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK]


@pytest.mark.parametrize('kind', HEADS)
def test_heads_have_a_length(tmp_path, shards, kind):
    """tarfile reads them whole; of PAX, in a time that grows with their square."""
    head = tarfile.TarInfo('head')
    head.type, head.size = kind, 2**21
    shard = shards / 'train-000000.tar'
    shard.write_bytes(head.tobuf() + b'1' * head.size + shard.read_bytes())
    with pytest.raises(UserError, match='no whole uncompressed tar .what stands before a member has 2,097,152 bytes'):
        sharded(shards)
    with pytest.raises(UserError, match='cannot be unpacked .*what stands before a member has'):
        archives.unpack(Archive('a.tar', 'http://example.org', '', members='.*'), shards / 'train-000000.tar', tmp_path)


def test_numbers_in_heads_have_an_end(shards):
    head = tarfile.TarInfo('head')
    head.type, head.size = tarfile.XHDTYPE, 2**16
    shard = shards / 'train-000000.tar'
    shard.write_bytes(head.tobuf() + b'1' * head.size + shard.read_bytes())
    with pytest.raises(UserError, match='a number of a thousand digits'):
        sharded(shards)


def test_long_names_are_read(tmp_path, source):
    (tmp_path / 'shards').mkdir()
    for number, form in enumerate((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
        with tarfile.open(tmp_path / f'shards/{number}.tar', 'w', format=form) as tar:
            tar.add(source / 'part1/0001.png', 'long/' * 500 + f'{number}.png')
    assert len(sharded(tmp_path / 'shards')) == 2


def test_a_shard_that_is_hardly_there(shards):
    with (shards / 'train-000000.tar').open('r+b') as file:
        file.truncate(3 * 2**30)
    with pytest.raises(UserError, match='train-000000.tar cannot be read .*next to none of which'):
        sharded(shards)


def test_a_name_that_is_no_text(tmp_path, shards):
    name = os.path.join(os.fsencode(shards), b'\xff.tar')
    shutil.copy(shards / 'train-000000.tar', name)
    assert len(tar_index.tar_index(os.fsdecode(name))) == 3
