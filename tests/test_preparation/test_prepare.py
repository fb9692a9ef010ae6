"""Each public data set from its archives to the layout of the configs, and the repairs of common layouts."""

import fcntl
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lgd_mm.errors import UserError
from lgd_mm.preparation import caltech256
from lgd_mm.preparation.cityscapes import train_ids
from lgd_mm.preparation.prepare import LOCK, prepare
from tests.test_preparation import trees


@pytest.fixture
def run(tmp_path):
    """Prepares below tmp_path/root; returns whether it is whole, and the lines said."""

    def prepared(spec, check=False, root=tmp_path / 'root'):
        lines = []
        return prepare(spec, root, check=check, tell=lines.append), lines

    (tmp_path / 'root').mkdir()
    return prepared


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('[!.]*') if path.is_file())


def test_coco_from_archives(tmp_path, run):
    """Unpacked once, whole, and not touched by a second run."""
    spec = trees.coco_archives(tmp_path / 'root/downloads')
    whole, lines = run(spec)
    assert whole and lines[-1] == f'whole: COCO 2017 in {tmp_path}/root'
    assert sum(line.startswith('unpacked: ') for line in lines) == 3
    tree = [name for name in files(tmp_path / 'root') if not name.startswith('downloads')]
    assert len(tree) == 7 and 'train2017/000000000025.jpg' in tree and 'annotations/instances_val2017.json' in tree
    assert run(spec) == run(spec, check=True) == (True, lines[-1:])


def test_what_to_download(tmp_path, run):
    """An empty folder: one sentence and the archives that are not there."""
    spec = trees.coco_archives(tmp_path / 'elsewhere')
    (tmp_path / 'elsewhere/val2017.zip').rename(tmp_path / 'root/val2017.zip')
    whole, lines = run(spec, check=True)
    assert not whole and lines[0] == f'wrong: {tmp_path}/root holds nothing of COCO 2017'
    assert lines[1] == f'to download into {tmp_path}/root, then run the command without --check:'
    assert len(lines) == 4 and not any('  val2017.zip' in line for line in lines)
    assert '  train2017.zip (19 GB, MD5 ' in lines[2] and 'http://images.cocodataset.org/zips/train2017.zip' in lines[2]
    assert f'to download into {tmp_path}/root, then run the same command:' in run(spec)[1]


def test_lvis_beside_coco(tmp_path, run):
    """Its validation set takes images of both folders, which its coco_url says."""
    trees.coco_archives(tmp_path / 'root')
    contents = {'lvis_v1_train': trees.coco_json(['000000000009.jpg']), 'lvis_v1_val': trees.coco_json(
        ['000000000025.jpg', '000000000139.jpg'])}
    contents['lvis_v1_val']['images'][1]['coco_url'] = 'http://images.cocodataset.org/val2017/000000000139.jpg'
    for name, content in contents.items():
        trees.write_zip(tmp_path / f'root/{name}.json.zip', {f'{name}.json': trees.json.dumps(content).encode()})
    counts = {'train2017': 3, 'val2017': 2, 'annotations/lvis_v1_train.json': 1, 'annotations/lvis_v1_val.json': 2}
    spec = trees.spec_for('lvis', tmp_path / 'root', counts, categories=lambda: ['cat', 'dog'])
    assert run(spec)[0]
    (tmp_path / 'root/val2017/000000000139.jpg').unlink()
    assert ('wrong: annotations/lvis_v1_val.json names 1 images that are not there: unpack or copy them '
            '(val2017/000000000139.jpg)') in run(spec, check=True)[1]


def test_imagenet_from_archives(tmp_path, run, monkeypatch):
    """The development kit's own numbers of the classes become folders; the lists of labels are written."""
    spec = trees.imagenet_archives(tmp_path / 'root')
    with pytest.raises(UserError, match="are not known: put ILSVRC2012_devkit_t12.tar.gz into .*root, or mmpretrain's "
                       'list at .*root/meta/val.txt'):
        run(spec)
    md5 = trees.devkit(tmp_path / 'root/ILSVRC2012_devkit_t12.tar.gz')
    monkeypatch.setitem(trees.imagenet_meta(), 'devkit', ('ILSVRC2012_devkit_t12.tar.gz', md5))
    assert run(spec)[0]
    val = [name for name in files(tmp_path / 'root/val')]
    assert val == [f'{trees.WNIDS[label]}/ILSVRC2012_val_{number:08}.JPEG'
                   for label, number in ((0, 2), (0, 4), (1, 3), (2, 1), (2, 5))]
    assert len(files(tmp_path / 'root/train')) == 12
    lines = (tmp_path / 'root/meta/train_10percent.txt').read_text().splitlines()
    assert [line.split()[1] for line in lines] == ['0', '1', '2'] and lines[2].startswith(f'{trees.WNIDS[2]}/')


def test_imagenet_flat_with_mmpretrains_list(tmp_path, run):
    """The list gives the folders, and is put aside, since mmpretrain would follow it."""
    spec = trees.imagenet_archives(tmp_path / 'root')
    trees.write_tree(tmp_path / 'root', {f'val/ILSVRC2012_val_{n:08}.JPEG': trees.picture(seed=n) for n in range(1, 6)})
    labels = (2, 0, 1, 0, 2)
    trees.write_tree(tmp_path / 'root', {'meta/val.txt': ''.join(
        f'ILSVRC2012_val_{n:08}.JPEG {label}\n' for n, label in enumerate(labels, start=1)).encode()})
    whole, lines = run(spec, check=True)
    assert not whole and ('wrong: val holds 5 images outside the folders of their classes; without --check this is '
                          'repaired') in lines
    assert run(spec)[0] and (tmp_path / f'root/val/{trees.WNIDS[1]}/ILSVRC2012_val_00000003.JPEG').is_file()
    assert (tmp_path / 'root/meta/val_flat.txt').is_file() and not (tmp_path / 'root/meta/val.txt').exists()


def test_caltech_split(tmp_path, run, monkeypatch):
    """Without clutter; stopped after two moves, it ends as if it had never been."""
    monkeypatch.setattr(caltech256, 'TRAIN_PER_CLASS', 3)
    for name in ('root', 'other'):
        spec = trees.caltech_archive(tmp_path / name)
    assert run(spec)[0]
    assert len(files(tmp_path / 'root/train')) == 6 and len(files(tmp_path / 'root/val')) == 2
    assert not (tmp_path / 'root/256_ObjectCategories').exists()

    move, moves = caltech256.move, []

    def interrupted(source, target):
        if len(moves) == 2:
            raise KeyboardInterrupt
        moves.append(move(source, target))

    with monkeypatch.context() as patch:
        patch.setattr(caltech256, 'move', interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(spec, root=tmp_path / 'other')
    assert len(files(tmp_path / 'other/256_ObjectCategories')) == 6
    assert run(spec, root=tmp_path / 'other')[0]
    assert files(tmp_path / 'other') == files(tmp_path / 'root')


def test_cityscapes_train_ids(tmp_path, run):
    """Made from the label ids; two archives with a README each do not meet."""
    spec = trees.cityscapes_archives(tmp_path / 'root')
    assert run(spec)[0] and not (tmp_path / 'root/README').exists()
    made = tmp_path / 'root/gtFine/train/aachen/aachen_000000_000019_gtFine_labelTrainIds.png'
    assert set(np.unique(np.asarray(Image.open(made)))) == {0, 18, 255}
    made.unlink()
    whole, lines = run(spec, check=True)
    assert not whole and lines[0] == ('wrong: gtFine/train lacks 1 masks *_labelTrainIds.png; without --check this is '
                                      'repaired')
    assert not made.exists() and run(spec)[0] and made.exists()


def test_train_ids_of_every_label():
    """The 19 trained labels in their order; the others are 255, and a 34th is refused."""
    ids = train_ids(np.arange(34, dtype=np.uint8)[None])[0]
    assert ids[[7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]].tolist() == list(range(19))
    assert (ids == 255).sum() == 34 - 19
    with pytest.raises(ValueError, match='it holds 34, and ids end at 33'):
        train_ids(np.uint8([[7, 34]]))


@pytest.mark.parametrize('root', ['root', 'root/ADEChallengeData2016'])
def test_ade_from_its_folder_or_the_one_around(tmp_path, run, root):
    """The folder must keep its name, so either root gives the same tree."""
    trees.ade_tree(tmp_path / 'made/ADEChallengeData2016')
    members = {name: (tmp_path / 'made' / name).read_bytes() for name in files(tmp_path / 'made')}
    members['ADEChallengeData2016/objectInfo150.txt'] = b'Idx Ratio Train Val Stuff Name'
    trees.write_zip(tmp_path / 'root/ADEChallengeData2016.zip', members)
    spec = trees.spec_for('ade20k', tmp_path / 'root', {part.path: 2 if 'training' in part.path else 1
                                                       for part in trees.SPECS['ade20k'].parts})
    (tmp_path / root).mkdir(exist_ok=True)
    whole, lines = run(spec, root=tmp_path / root)
    assert whole and lines[-1].endswith('in ' + str(tmp_path / 'root/ADEChallengeData2016'))
    assert files(tmp_path / 'root/ADEChallengeData2016') == files(tmp_path / 'made/ADEChallengeData2016')


@pytest.mark.parametrize('moves', [
    {'train2017': 'images/train2017', 'val2017': 'images/val2017'},
    {'train2017': 'Train2017', 'annotations': 'Annotations'},
    {'train2017': 'coco2017/train2017', 'val2017': 'coco2017/val2017', 'annotations': 'coco2017/annotations'},
    {'annotations': 'annotations_trainval2017/annotations', 'train2017': 'train2017/train2017'},
    {'annotations/instances_val2017.json': 'instances_val2017.json'},
], ids=['images', 'capitals', 'top', 'nested', 'file'])
def test_coco_in_other_layouts(tmp_path, run, moves):
    """Told with --check, repaired without; nothing is lost or written twice."""
    spec = trees.coco_tree(tmp_path / 'root')
    before = files(tmp_path / 'root')
    for number, source in enumerate(moves):
        (tmp_path / 'root' / source).rename(tmp_path / f'aside{number}')
    for number, target in enumerate(moves.values()):
        (tmp_path / 'root' / target).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f'aside{number}').rename(tmp_path / 'root' / target)
    moved = files(tmp_path / 'root')
    whole, lines = run(spec, check=True)
    told = [line for line in lines if line.startswith('wrong: ')]
    assert not whole and told and all(line.endswith('without --check this is repaired') for line in told)
    assert files(tmp_path / 'root') == moved != before
    assert run(spec)[0] and files(tmp_path / 'root') == before


def test_kaggles_imagenet(tmp_path, run):
    """Its images lie four folders deep."""
    spec = trees.imagenet_archives(tmp_path / 'elsewhere')
    inside = 'ILSVRC/Data/CLS-LOC'
    train = [f'train/{wnid}/{wnid}_{number}.JPEG' for wnid in trees.WNIDS for number in range(4)]
    val = [f'val/{trees.WNIDS[number % 3]}/ILSVRC2012_val_{number:08}.JPEG' for number in range(1, 6)]
    trees.write_tree(tmp_path / 'root', {f'{inside}/{name}': trees.picture() for name in train + val})
    assert run(spec)[0] and not (tmp_path / 'root/ILSVRC').exists()
    assert [name for name in files(tmp_path / 'root') if not name.startswith('meta')] == sorted(train + val)


def _imagenet_at(place, val='val/{wnid}/ILSVRC2012_val_{number:08}.JPEG'):
    return {f'{place}/train/{wnid}/{wnid}_0.JPEG': trees.picture() for wnid in trees.WNIDS} | {
        f'{place}/' + val.format(wnid=wnid, number=number): trees.picture() for number, wnid in enumerate(trees.WNIDS)}


@pytest.mark.parametrize(('name', 'shared', 'links'), [
    ('imagenet', _imagenet_at('Data/CLS-LOC'), {'ILSVRC': ''}),
    ('imagenet', _imagenet_at('.', val='val/ILSVRC2012_val_{number:08}.JPEG'), {'train': 'train', 'val': 'val'}),
    ('coco', {'coco/train2017/train2017/1.jpg': b''}, {'train2017': 'coco/train2017'}),
    ('coco', {'coco/images/train2017/1.jpg': b''}, {'images/train2017': 'coco/images/train2017'}),
    ('ade20k', {'images/Training/1.jpg': b''}, {'ADEChallengeData2016': ''}),
    ('caltech256', {'001.ak47/001_0001.jpg': b'', '002.american-flag/002_0001.jpg': b''}, {'256_ObjectCategories': ''}),
    ('cityscapes', {'aachen/a_gtFine_labelIds.png': trees.mask([7])}, {'gtFine/train': ''}),
    ('folder', {'train/ash/1.png': trees.mask([1]), 'meta/a.txt': b''}, {'train': 'train', 'meta': 'meta'}),
], ids=['around', 'flat', 'nested', 'part', 'top', 'split', 'masks', 'lists'])
def test_nothing_behind_a_link_is_changed(tmp_path, run, name, shared, links):
    """The folder is named, and what others share stays as it is; the links do, too."""
    trees.write_tree(tmp_path / 'shared', shared)
    trees.write_tree(tmp_path / 'root', {'meta/val.txt': b'n/1.JPEG 0'} if name == 'imagenet' else {})
    for link, target in links.items():
        (tmp_path / 'root' / link).parent.mkdir(exist_ok=True)
        (tmp_path / 'root' / link).symlink_to(tmp_path / 'shared' / target)
    before = files(tmp_path / 'shared')
    spec = trees.SPECS[name]
    if name == 'caltech256':
        spec = trees.spec_for(name, tmp_path / 'root', dict(train=1, val=1))
    with pytest.raises(UserError, match=f'is a link to {tmp_path}/shared.*: prepare that folder, or link the part'):
        run(spec)
    assert files(tmp_path / 'shared') == before
    assert all((tmp_path / 'root' / link).is_symlink() for link in links)


def test_nothing_is_unpacked_behind_a_link(tmp_path, run):
    """What is there is read; the root itself may be a link, as the user names it."""
    spec = trees.coco_archives(tmp_path / 'root')
    trees.coco_tree(tmp_path / 'shared')
    (tmp_path / 'root/train2017').symlink_to(tmp_path / 'shared/train2017')
    (tmp_path / 'link').symlink_to(tmp_path / 'root')
    assert run(spec, root=tmp_path / 'link')[0]
    (tmp_path / 'shared/train2017/000000000025.jpg').unlink()
    with pytest.raises(UserError, match=f'root/train2017 is a link to {tmp_path}/shared/train2017, and nothing'):
        run(spec)
    assert len(files(tmp_path / 'shared/train2017')) == 2


def test_two_candidates(tmp_path, run):
    """The user decides."""
    spec = trees.coco_tree(tmp_path / 'root')
    (tmp_path / 'root/val2017').rename(tmp_path / 'root/VAL2017')
    (tmp_path / 'root/old/val2017').mkdir(parents=True)
    with pytest.raises(UserError, match='val2017 of COCO 2017 is missing in .*, and both .*VAL2017 and .*old/val2017'):
        run(spec)


def test_a_move_never_overwrites(tmp_path, run, monkeypatch):
    """An equal file is dropped, another is named."""
    spec = trees.imagenet_archives(tmp_path / 'root')
    md5 = trees.devkit(tmp_path / 'root/ILSVRC2012_devkit_t12.tar.gz')
    monkeypatch.setitem(trees.imagenet_meta(), 'devkit', ('ILSVRC2012_devkit_t12.tar.gz', md5))
    mine = tmp_path / f'root/val/{trees.WNIDS[2]}/ILSVRC2012_val_00000001.JPEG'
    trees.write_tree(mine.parent, {mine.name: b'another image'})
    trees.write_tree(tmp_path / 'root/val', {mine.name: trees.picture(seed=1)})
    with pytest.raises(UserError, match='val/ILSVRC2012_val_00000001.JPEG belongs at .*, where another lies'):
        run(spec)
    assert mine.read_bytes() == b'another image'
    mine.write_bytes(trees.picture(seed=1))
    assert run(spec)[0] and len(files(tmp_path / 'root/val')) == 5


@pytest.mark.parametrize(('make', 'name', 'sentence'), [
    (trees.coco_tree, 'cityscapes', 'root holds COCO 2017, not Cityscapes: give another folder, or prepare it as coco'),
    (trees.ade_tree, 'coco', r'root holds ADE20K \(MIT Scene Parsing\), not COCO 2017'),
    (lambda root: trees.write_tree(root, {'train/cat/1.jpg': b'', 'val/cat/2.jpg': b''}), 'imagenet',
     r'train holds no class of ImageNet-1k \(ILSVRC 2012\): give the folder of'),
    (lambda root: [trees.coco_tree(root / 'coco'), (root / 'ade').mkdir()], 'coco',
     'COCO 2017 lies in .*root/coco: give this folder instead of .*root$'),
], ids=['coco', 'ade20k', 'folder', 'parent'])
@pytest.mark.parametrize('check', [True, False])
def test_wrong_root(tmp_path, run, make, name, sentence, check):
    """One sentence, and nothing is moved."""
    make(tmp_path / 'root')
    before = files(tmp_path / 'root')
    with pytest.raises(UserError, match=sentence):
        run(trees.SPECS[name], check=check)
    assert files(tmp_path / 'root') == before


def test_no_folder_and_no_room(tmp_path, run, monkeypatch):
    """The system's reason is passed on."""
    spec = trees.coco_archives(tmp_path / 'root')
    with pytest.raises(UserError, match='gone is no folder: give that of COCO 2017, or make it'):
        run(spec, root=tmp_path / 'gone')

    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('shutil.copyfileobj', full)
    with pytest.raises(UserError, match=r'cannot be unpacked into .*root \(No space left on device\): free disk space'):
        run(spec)


def test_folder(tmp_path, run):
    """Any classes and images; val may be missing, and must not have other classes than train."""
    names = {f'train/{name}/{index}.png': trees.mask([index]) for name in ('ash', 'oak') for index in range(20)}
    trees.write_tree(tmp_path / 'root', names)
    spec = trees.SPECS['folder']
    assert run(spec)[0]
    assert len((tmp_path / 'root/meta/train_10percent.txt').read_text().splitlines()) == 4
    trees.write_tree(tmp_path / 'root', {'val/oak/1.png': trees.mask([1])})
    whole, lines = run(spec)
    assert not whole and lines == ['wrong: val has other classes than train, which would shift the labels: give both '
                                   'the same sub-folders (ash)']
    trees.write_tree(tmp_path / 'root', {'val/ash/1.png': trees.mask([1]), 'train/ash/20.png': trees.mask([1])})
    text = (tmp_path / 'root/meta/train_1percent.txt').read_text()
    (tmp_path / 'root/meta/train_1percent.txt').write_text(text.replace('oak', 'elm'))
    assert run(spec)[1] == ['wrong: meta/train_1percent.txt is not the list of these images with seed 0: remove it '
                            'to have it written anew']


def test_a_spec_names_its_own_parts():
    """Every archive fills parts that exist, and every part but those made here comes from an archive."""
    for spec in trees.SPECS.values():
        paths = {part.path for part in spec.parts if not getattr(part, 'made', False)}
        filled = {path for archive in spec.archives for path in archive.fills}
        assert filled == (paths if spec.name != 'folder' else set())
        assert replace(spec, name='copy').part(next(iter(paths)))


def test_caltech_is_not_divided_before_it_is_whole(tmp_path, run, monkeypatch):
    """From a part of the images, others would be drawn."""
    monkeypatch.setattr(caltech256, 'TRAIN_PER_CLASS', 3)
    spec = trees.caltech_archive(tmp_path / 'away')
    trees.write_tree(tmp_path / 'root', {'256_ObjectCategories/001.ak47/001_0001.jpg': trees.picture()})
    whole, lines = run(spec)
    assert not whole and lines[0].startswith('wrong: ')
    assert files(tmp_path / 'root') == ['256_ObjectCategories/001.ak47/001_0001.jpg']


def test_a_class_called_like_a_part(tmp_path, run):
    """Stays where it is."""
    trees.write_tree(tmp_path / 'root', {f'train/{name}/1.png': trees.mask([1]) for name in ('val', 'test')})
    assert run(trees.SPECS['folder'])[0] and files(tmp_path / 'root/train') == ['test/1.png', 'val/1.png']


@pytest.mark.parametrize(('name', 'before', 'sentence'), [
    ('folder', ['src/train/x/1.png', 'runs/a.txt'], 'lies in .*root/src: give this folder instead of .*root$'),
    ('folder', ['old/backup/train/x/1.png'], None),
    ('imagenet', ['birds/train/wren/1.JPEG', 'notes/a.txt'], None),
], ids=['beside', 'deep', 'classes'])
def test_names_that_other_folders_have_too(tmp_path, run, name, before, sentence):
    """A folder ``train`` somewhere below the root is nothing of the data set, and is not moved."""
    trees.write_tree(tmp_path / 'root', dict.fromkeys(before, trees.mask([1])))
    if sentence:
        with pytest.raises(UserError, match=sentence):
            run(trees.SPECS[name])
    else:
        whole, lines = run(trees.SPECS[name])
        assert not whole and lines[0].startswith(f'wrong: {tmp_path}/root holds nothing of ')
    assert files(tmp_path / 'root') == sorted(before)


def test_the_only_class_is_called_train(tmp_path, run):
    """As among vehicles; beside it, val has the same class."""
    names = ['train/train/1.png', 'val/train/2.png']
    trees.write_tree(tmp_path / 'root', {name: trees.mask([1]) for name in names})
    assert run(trees.SPECS['folder'])[0] and set(names) < set(files(tmp_path / 'root'))


def test_found_images_are_not_unpacked_again(tmp_path, run):
    """They are moved first."""
    spec = trees.coco_archives(tmp_path / 'root')
    trees.coco_tree(tmp_path / 'root/coco2017')
    assert run(spec)[1] == ['repaired: train2017 lies at coco2017/train2017', 'repaired: val2017 lies at '
                            'coco2017/val2017', *(f'repaired: annotations/instances_{split}2017.json lies at '
                            f'coco2017/annotations/instances_{split}2017.json' for split in ('train', 'val')),
                            f'whole: COCO 2017 in {tmp_path}/root']
    assert not (tmp_path / 'root/coco2017').exists()


def test_one_at_a_time(tmp_path, run):
    """Another data set with the same archives has to wait, too; looking is always possible."""
    spec = trees.coco_archives(tmp_path / 'root')
    with (tmp_path / 'root' / LOCK).open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match='another process prepares .*root: wait until it has ended'):
            run(trees.SPECS['lvis'])
        assert not run(spec, check=True)[0] and not (tmp_path / 'root/train2017').exists()
    assert run(spec)[0]


def test_a_folder_that_may_not_be_changed(tmp_path, run, monkeypatch):
    """Named, with the system's reason."""
    spec = trees.coco_tree(tmp_path / 'root')
    (tmp_path / 'root/train2017').rename(tmp_path / 'root/TRAIN2017')

    def refuse(source, target):
        raise PermissionError(13, 'Permission denied', str(source))

    monkeypatch.setattr('os.rename', refuse)
    with pytest.raises(UserError, match=r'root/TRAIN2017 cannot be read or changed \(Permission denied\): free'):
        run(spec)


@pytest.mark.parametrize('steps', [1, 2, 3])
def test_unnesting_that_was_stopped(tmp_path, run, monkeypatch, steps):
    """After any of its steps, the same command ends as without a stop."""
    spec = trees.coco_tree(tmp_path / 'root')
    before = files(tmp_path / 'root')
    (tmp_path / 'root/val2017').rename(tmp_path / 'inner')
    (tmp_path / 'root/val2017').mkdir()
    (tmp_path / 'inner').rename(tmp_path / 'root/val2017/val2017')
    rename, done = os.rename, []

    def stopped(function, *paths):
        if len(done) == steps - 1:
            raise KeyboardInterrupt
        done.append(function(*paths))

    with monkeypatch.context() as patch:
        patch.setattr('os.rename', lambda source, target: stopped(rename, source, target))
        patch.setattr('pathlib.Path.rmdir', lambda path: stopped(os.rmdir, path))
        with pytest.raises(KeyboardInterrupt):
            run(spec)
    assert run(spec)[0] and files(tmp_path / 'root') == before


@pytest.mark.parametrize('make', [trees.coco_archives, trees.imagenet_archives, trees.caltech_archive,
                                  trees.cityscapes_archives])
def test_stopped_at_every_file(tmp_path, run, monkeypatch, make):
    """Before each file that is written or moved, one stop after the other, until all is done."""
    monkeypatch.setattr(caltech256, 'TRAIN_PER_CLASS', 3)
    for name in ('other', 'root'):
        spec = make(tmp_path / name)
    md5 = trees.devkit(tmp_path / 'root/ILSVRC2012_devkit_t12.tar.gz')  # another in each second
    shutil.copy(tmp_path / 'root/ILSVRC2012_devkit_t12.tar.gz', tmp_path / 'other')
    monkeypatch.setitem(trees.imagenet_meta(), 'devkit', ('ILSVRC2012_devkit_t12.tar.gz', md5))
    assert run(spec)[0]
    steps, stops = [], 0

    def limited(function):
        def step(source, target):
            if len(steps) > stops:
                raise KeyboardInterrupt
            steps.append(target)
            return function(source, target)
        return step

    with monkeypatch.context() as patch:
        patch.setattr('os.replace', limited(os.replace))
        patch.setattr('os.rename', limited(os.rename))
        while stops < 60:
            try:
                done = run(spec, root=tmp_path / 'other')
            except KeyboardInterrupt:
                stops += 1
            else:
                break
    assert 5 < stops < 60 and done[0] and files(tmp_path / 'other') == files(tmp_path / 'root')
