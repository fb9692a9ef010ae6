"""Class folders as people have them: every format that pre-training reads, and nothing that is no class."""

import os
import unicodedata
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image, features

from lgd_mm.datasets import LabelledImages, LoadImage, UnlabelledImages
from lgd_mm.datasets.labelled_images import class_folders, count_images
from lgd_mm.engine.checks.unreadable_image import bad_image
from lgd_mm.errors import UserError
from lgd_mm.io.image_files import EXTENSIONS
from lgd_mm.own_data.class_folders import read_class_folders

FORMATS = [each for each in EXTENSIONS if each != '.avif' or features.check('avif')]


def write(path, colour=(200, 30, 60)):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new('RGB', (8, 8), colour)
    (picture.convert('L') if path.suffix == '.pgm' else picture).save(path)


def data_set(root, **keys):
    return LabelledImages(data_prefix=str(root), pipeline=[LoadImage()], **keys)


def test_every_format_of_pre_training(tmp_path):
    """Also in capitals, and decoded to the same image."""
    for index, suffix in enumerate(FORMATS):
        write(tmp_path / 'cat' / f'{index}{suffix}')
        (tmp_path / 'cat' / f'{index}{suffix}').rename(tmp_path / 'cat' / f'{index}{suffix.upper()}')
        write(tmp_path / 'dog' / f'{index}{suffix}')
    pictures = data_set(tmp_path)
    assert len(pictures) == 2 * len(FORMATS) == count_images(class_folders(tmp_path))
    assert len(UnlabelledImages(str(tmp_path))) == len(pictures)
    for item in pictures:
        assert item['gt_label'] == ('dog' in item['img_path'])
        if not item['img_path'].lower().endswith('.pgm'):
            np.testing.assert_allclose(item['img'][4, 4], (60, 30, 200), atol=8)


@pytest.fixture
def untidy(tmp_path):
    for name in ('cat/0.jpg', 'cat/more/1.jpg', 'dog/0.png', 'cat/.ipynb_checkpoints/0-checkpoint.jpg', 'cat/._0.jpg',
                 '.ipynb_checkpoints/0.jpg', '.git/0.jpg', '__MACOSX/0.jpg', '@eaDir/0.jpg', 'beside.jpg',
                 'dog/@eaDir/0.jpg/THUMB.jpg'):
        write(tmp_path / name)
    (tmp_path / 'cat' / 'notes.txt').touch()
    (tmp_path / 'owl').mkdir()
    (tmp_path / 'linked').symlink_to(tmp_path / 'cat', target_is_directory=True)
    return tmp_path


def test_what_is_no_class(untidy):
    """Hidden folders and those of file managers, at any depth, files beside the classes; each is counted."""
    with patch('lgd_mm.datasets.labelled_images.print_log') as log:
        pictures = data_set(untidy)
    assert pictures.CLASSES == ('cat', 'dog', 'linked', 'owl')
    names = [(item['img_path'].removeprefix(f'{untidy}/'), item['gt_label']) for item in pictures]
    assert names == [('cat/0.jpg', 0), ('cat/more/1.jpg', 0), ('dog/0.png', 1), ('linked/0.jpg', 2),
                     ('linked/more/1.jpg', 2)]
    told = '\n'.join(call.args[0] for call in log.call_args_list)
    assert '4 folders that are no classes are left out: .git, .ipynb_checkpoints, @eaDir, __MACOSX' in told
    assert '1 files beside the class folders are left out: beside.jpg' in told
    assert '2 files in class folders that are no images are left out' in told and 'cat/notes.txt' in told
    assert '1 class folders hold no image: owl' in told


def test_what_cannot_be_used(tmp_path):
    """In one sentence each."""
    (tmp_path / 'cat').mkdir()
    with pytest.raises(UserError, match='class folders of .* hold no image .*webp'):
        data_set(tmp_path)
    write(tmp_path / 'cat' / '0.jpg')
    with pytest.raises(UserError, match='has 1 class folders, but metainfo.classes has 2'):
        data_set(tmp_path, metainfo=dict(classes=['a', 'b']))
    for form in ('NFC', 'NFD'):
        (tmp_path / unicodedata.normalize(form, 'caf\u00e9')).mkdir()
    with pytest.raises(UserError, match='two class folders whose names look the same'):
        class_folders(tmp_path)


def both(tmp_path, train, val, names=('train', 'val')):
    for part, classes in zip(names, (train, val)):
        for name in classes:
            write(tmp_path / part / name / '0.jpg')
    return read_class_folders(tmp_path, training=True)


@pytest.mark.parametrize(('train', 'val', 'sentence'), [
    ('cat dog owl', 'cat dog', r'val lacks owl, which .*train has: make such a class folder there, which may be'),
    ('cat dog', 'cat dog owl', 'train lacks owl, which .*val has'),
    ('Cat dog', 'cat dog', 'Cat and cat are two names'),
    ('cat dog', 'cow dog', 'cat is only in one of them'),
])
def test_parts_of_other_classes(tmp_path, train, val, sentence):
    """Which lacks what, and one cure."""
    with pytest.raises(UserError, match=sentence):
        both(tmp_path, train.split(), val.split())


def test_the_cure_for_a_class_that_is_missing(tmp_path):
    """An empty folder is enough."""
    (tmp_path / 'val' / 'owl').mkdir(parents=True)
    found = both(tmp_path, ['cat', 'dog', 'owl'], ['cat', 'dog'])
    assert found.names == ['cat', 'dog', 'owl'] and found.images == 3
    assert [item['gt_label'] for item in data_set(found.val)] == [0, 1]


@pytest.mark.parametrize('names', [('train', 'valid'), ('Train', 'Val'), ('training', 'test'), ('train', 'validation')])
def test_names_of_the_parts(tmp_path, names):
    """As people call them; accents may be written in two ways."""
    found = both(tmp_path, ['caf\u00e9', 'bar'], ['cafe\u0301', 'bar'], names)
    assert found.names == ['bar', 'caf\u00e9'] and found.val.endswith(names[1])
    assert [item['gt_label'] for item in data_set(found.val)] == [0, 1]


def test_the_order_of_mmpretrain(tmp_path):
    """That of the names as they are stored, whose accents may be written in two ways; parts that differ are refused."""
    from mmpretrain.datasets import CustomDataset
    for number, name in enumerate(('e\u0301a', 'z', '\u00e9b', 'Z', 'e')):
        write(tmp_path / 'train' / name / f'{number}.jpg')
    theirs = CustomDataset(data_prefix=str(tmp_path / 'train'), pipeline=[])
    for root in (tmp_path / 'train', f'{tmp_path}/train/', os.path.relpath(tmp_path / 'train')):
        ours = data_set(root)
        for index in range(5):
            item, other = ours.get_data_info(index), theirs.get_data_info(index)
            assert item['gt_label'] == other['gt_label']
            assert os.path.abspath(item['img_path']) == os.path.abspath(other['img_path'])
    assert ours.CLASSES == ('Z', 'e', '\u00e9a', 'z', '\u00e9b')
    with pytest.raises(UserError, match='number their classes differently .class 2 is \u00e9a and z.*rename'):
        both(tmp_path, [], ['Z', 'e', '\u00e9a', 'z', '\u00e9b'])


def test_links_that_lead_nowhere(tmp_path):
    """They are no samples, as in mmpretrain, and counted."""
    write(tmp_path / 'cat' / '0.jpg')
    (tmp_path / 'cat' / '1.jpg').symlink_to('gone.jpg')
    with patch('lgd_mm.datasets.labelled_images.print_log') as log:
        assert len(data_set(tmp_path)) == 1
    assert '1 files in class folders that are no images are left out' in log.call_args_list[0].args[0]
    assert count_images(class_folders(tmp_path)) == len(data_set(tmp_path, with_label=False)) == 1


def test_a_broken_image_is_told(tmp_path):
    """Also by a loader's worker, which hands over a traceback."""
    write(tmp_path / 'cat' / '0.jpg')
    (tmp_path / 'cat' / '1: a.webp').write_bytes(b'no image')
    pictures = data_set(tmp_path)
    with pytest.raises(Exception, match='UnidentifiedImageError') as raised:
        pictures[1]
    cfg = dict(train_dataloader=dict(dataset=dict(data_prefix=str(tmp_path))))
    for error in (raised.value, type(raised.value)(f'Traceback:\n  x: TypeError: y\nlgd_mm.datasets.loading.'
                                                  f'UnreadableImage: {raised.value}\n')):
        assert bad_image(cfg, error).startswith(f'{tmp_path}/cat/1: a.webp cannot be decoded: replace it')
