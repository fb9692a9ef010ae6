"""Files that lists and annotations name lie below the data set's folder."""

import os
from pathlib import Path

import pytest

from lgd_mm.errors import UserError
from lgd_mm.own_data.check_class_folders import _check_labels
from lgd_mm.preparation.voc_to_coco import voc_to_coco
from tests.test_preparation.test_voc import voc, xml
from tests.test_preparation.trees import picture


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


@pytest.mark.parametrize('elsewhere', [False, True])
@pytest.mark.parametrize(('place', 'target'), [
    ('JPEGImages/2007_000033.jpg', 'secret.jpg'), ('Annotations/2007_000033.xml', 'secret.xml'),
    ('ImageSets/Main/val.txt', 'secret.xml')])
def test_links_out_of_a_voc_data_set(tmp_path, other, place, target, elsewhere):
    """Of single files, also in a folder that is a link itself."""
    voc(tmp_path / 'voc')
    link = tmp_path / 'voc' / place
    link.unlink()
    link.symlink_to(other / target)
    if elsewhere:
        link_folder(link.parent, tmp_path / 'store')
    with pytest.raises(UserError, match='leads out of .*copy there what a link leads to'):
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def link_folder(folder, store):
    """As clusters have it: the folder lies in a store."""
    store.mkdir(exist_ok=True)
    folder.rename(store / folder.name)
    folder.symlink_to(store / folder.name)


@pytest.mark.parametrize('folders', [['JPEGImages'], ['Annotations', 'JPEGImages', 'ImageSets/Main'], ['ImageSets']])
def test_folders_of_a_voc_data_set_that_are_links(tmp_path, folders, monkeypatch):
    """Whoever made the data set has linked them; a path to it may lead upwards."""
    voc(tmp_path / 'voc')
    for folder in folders:
        link_folder(tmp_path / 'voc' / folder, tmp_path / 'store')
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    assert voc_to_coco(Path('../voc'), tmp_path / 'out') == dict(train=2, val=1)


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
    (f'a.jpg {"1" * 5000}', 'must be an image'),
    ('a.jpg ²', 'must be an image'), ('a.jpg -1', 'must be an image'), ('a.jpg', 'must be an image')])
def test_lines_of_a_label_list(tmp_path, line, sentence):
    (tmp_path / 'train.txt').write_text(f'a..b/c.jpg 0\n{line}\n', encoding='utf-8')
    with pytest.raises(UserError, match=f'train.txt, line 2 .*{sentence}'):
        _check_labels(str(tmp_path / 'train.txt'), 'model.head.num_classes', 2)


def test_a_list_of_images_elsewhere(tmp_path):
    """As mmpretrain takes them: whoever names the list in a config has chosen its images."""
    from mmpretrain.datasets import CustomDataset
    names = ['a..b/c.jpg', f'{tmp_path}/x y.jpg', '../z.jpg']
    (tmp_path / 'train.txt').write_text(''.join(f'{name} 1\n' for name in names), encoding='utf-8')
    _check_labels(str(tmp_path / 'train.txt'), 'model.head.num_classes', 2)
    pictures = CustomDataset(data_prefix='some/folder', ann_file=str(tmp_path / 'train.txt'), pipeline=[])
    assert [pictures.get_data_info(index)['img_path'] for index in range(3)] == [
        'some/folder/a..b/c.jpg', f'{tmp_path}/x y.jpg', 'some/folder/../z.jpg']
