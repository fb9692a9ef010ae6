"""Files that lists and annotations name lie below the data set's folder."""

import os

import pytest

from lgd_mm.datasets.preparation.voc_to_coco import voc_to_coco
from lgd_mm.engine.class_folders import _check_labels
from lgd_mm.errors import UserError
from tests.test_datasets.preparation_trees import picture
from tests.test_datasets.test_preparation_voc import voc, xml


@pytest.fixture
def other(tmp_path):
    """What is not to be taken in."""
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other/secret.jpg').write_bytes(picture(seed=1))
    (tmp_path / 'other/secret.xml').write_bytes(xml(('dog', 0, 1, 1, 12, 8)))
    return tmp_path / 'other'


@pytest.mark.parametrize('name', ['../../other/secret', '{other}/secret', 'a/../../../other/secret', '..', '/', 'a\0b'])
def test_names_in_a_list_of_voc(tmp_path, other, name):
    name = name.format(other=other)
    voc(tmp_path / 'voc', **{'ImageSets/Main/val.txt': f'{name}\n'.encode()})
    with pytest.raises(UserError, match='leads out of .*voc: name what is below it|not UTF-8|does not exist'):
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(('place', 'target'), [
    ('JPEGImages/2007_000033.jpg', 'secret.jpg'), ('Annotations/2007_000033.xml', 'secret.xml'),
    ('JPEGImages', ''), ('ImageSets/Main/val.txt', 'secret.xml')])
def test_links_out_of_a_voc_data_set(tmp_path, other, place, target):
    voc(tmp_path / 'voc')
    link = tmp_path / 'voc' / place
    if link.is_dir():
        link.rename(other / 'pictures')
        target = 'pictures'
    else:
        link.unlink()
    link.symlink_to(other / target)
    with pytest.raises(UserError, match='leads out of .*copy there what a link leads to'):
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_links_within_a_voc_data_set_and_to_it(tmp_path):
    voc(tmp_path / 'voc')
    inner = tmp_path / 'voc/JPEGImages/2007_000033.jpg'
    inner.rename(inner.with_name('renamed.jpg'))
    inner.symlink_to('renamed.jpg')
    (tmp_path / 'link').symlink_to('voc')
    assert voc_to_coco(tmp_path / 'link', tmp_path / 'out') == dict(train=2, val=1)


def test_pipes_in_a_voc_data_set(tmp_path):
    voc(tmp_path / 'voc')
    (tmp_path / 'voc/Annotations/2007_000033.xml').unlink()
    os.mkfifo(tmp_path / 'voc/Annotations/2007_000033.xml')
    with pytest.raises(UserError, match='2007_000033.xml is no plain file'):
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')


@pytest.mark.parametrize(('line', 'sentence'), [
    ('../other/a.jpg 0', 'leads out of the folder'), ('/etc/passwd 0', 'leads out of the folder'),
    ('a/../../b.jpg 0', 'leads out of the folder'), (f'a.jpg {"1" * 5000}', 'must be a picture'),
    ('a.jpg ²', 'must be a picture'), ('a.jpg -1', 'must be a picture'), ('a.jpg', 'must be a picture')])
def test_lines_of_a_label_list(tmp_path, line, sentence):
    (tmp_path / 'train.txt').write_text(f'a..b/c.jpg 0\n{line}\n', encoding='utf-8')
    with pytest.raises(UserError, match=f'train.txt, line 2 .*{sentence}'):
        _check_labels(str(tmp_path / 'train.txt'), 'model.head.num_classes', 2)
