"""Class-balanced subsets: sizes, nesting, and that they never change."""

from collections import Counter

import pytest
from mmpretrain.datasets import CustomDataset

from lgd_mm.preparation import balanced_subset
from lgd_mm.preparation.subsets import drawn, labelled, write_lists
from lgd_mm.preparation.tree import Tree
from tests.test_preparation.trees import write_tree

SAMPLES = [(f'class{label}/{index:03}.jpg', label) for label, size in enumerate((200, 300, 2)) for index in range(size)]


def test_as_many_of_each_class():
    """10 % of 502 in 3 classes are 17 each; a class of 2 gives both. 1 % are 2 each."""
    assert Counter(label for _, label in balanced_subset(SAMPLES, 0.1)) == {0: 17, 1: 17, 2: 2}
    assert Counter(label for _, label in balanced_subset(SAMPLES, 0.01)) == {0: 2, 1: 2, 2: 2}
    assert Counter(label for _, label in balanced_subset(SAMPLES, 0.0001)) == {0: 1, 1: 1, 2: 1}
    assert balanced_subset(SAMPLES, 1) != SAMPLES  # 167 of each class at most
    assert balanced_subset([], 0.5) == []


def test_nested_seeded_and_independent_of_the_order():
    """A smaller list is part of a larger one, also where images are added to the set."""
    tenth = balanced_subset(SAMPLES, 0.1)
    assert set(balanced_subset(SAMPLES, 0.01)) < set(tenth)
    assert tenth == balanced_subset(SAMPLES[::-1], 0.1) == sorted(tenth, key=lambda sample: sample[::-1])
    assert balanced_subset(SAMPLES, 0.1, seed=1) != tenth


def test_drawn_for_ever():
    """Not left to a library's version: sha256sum gives 3b2d... for '0 e', then b: 840f, f: 8f25, a: cf6d, c: edc8."""
    assert drawn('abcdef') == ['e', 'b', 'f', 'a', 'c', 'd'] != drawn('abcdef', seed=1)


@pytest.mark.parametrize('fraction', [0, -0.1, 1.5])
def test_fractions_that_cannot_be(fraction):
    """Named."""
    with pytest.raises(ValueError, match=f'fraction is {fraction}'):
        balanced_subset(SAMPLES, fraction)


def test_lists_are_read_by_mmpretrain(tmp_path):
    """Names with spaces, and labels as mmpretrain numbers the folders itself."""
    folders = ('b class', 'a', 'C')
    write_tree(tmp_path, {f'train/{name}/{name} {index}.JPG': b'' for name in folders for index in range(40)})
    write_tree(tmp_path, {'train/a/notes.txt': b''})
    assert write_lists(Tree(tmp_path), ('.jpg', )) == ['meta/train_10percent.txt', 'meta/train_1percent.txt']
    subset = CustomDataset(data_root=str(tmp_path), data_prefix='train', ann_file='meta/train_10percent.txt')
    whole = CustomDataset(data_root=str(tmp_path), data_prefix='train')
    label = {whole.get_data_info(i)['img_path']: whole.get_data_info(i)['gt_label'] for i in range(len(whole))}
    infos = [subset.get_data_info(index) for index in range(len(subset))]
    assert len(infos) == 12 and len(whole) == 120
    assert all(info['gt_label'] == label[info['img_path']] for info in infos)
    assert Counter(info['gt_label'] for info in infos) == {0: 4, 1: 4, 2: 4}
    assert len((tmp_path / 'meta/train_1percent.txt').read_text().splitlines()) == 3


def test_lists_are_not_overwritten(tmp_path):
    """The one that is missing is written."""
    write_tree(tmp_path, {'train/a/1.jpg': b'', 'meta/train_10percent.txt': b'mine'})
    assert write_lists(Tree(tmp_path), ('.jpg', )) == ['meta/train_1percent.txt']
    assert (tmp_path / 'meta/train_10percent.txt').read_text() == 'mine'
    assert labelled(Tree(tmp_path), 'train', ('.jpg', )) == [('a/1.jpg', 0)]
