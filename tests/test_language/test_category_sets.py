"""The built-in sets: how many names, which order, and that they are read from the installed libraries."""

import subprocess
import sys

import pytest
from open_clip import IMAGENET_CLASSNAMES

from lgd_mm.errors import UserError
from lgd_mm.language import CATEGORY_SETS, category_names

# Some known classes by index, so that a shifted or sorted list is noticed.
KNOWN = {
    'imagenet': (1000, {0: 'tench', 1: 'goldfish', 207: 'Golden Retriever', 999: 'toilet paper'}),
    'caltech256': (256, {0: 'AK-47', 55: 'dog', 143: 'minotaur', 224: 'tower of Pisa', 255: 'toad'}),
    'coco': (80, {0: 'person', 11: 'stop sign', 34: 'baseball bat', 79: 'toothbrush'}),
    'lvis': (1203, {0: 'aerosol can', 1202: 'zucchini'}),
    'ade20k': (150, {0: 'wall', 2: 'sky', 149: 'flag'}),
    'cityscapes': (19, {0: 'road', 6: 'traffic light', 18: 'bicycle'}),
}


@pytest.mark.parametrize('name', KNOWN)
def test_count_order_and_form(name):
    names = category_names(name)
    count, members = KNOWN[name]
    assert len(names) == count
    assert {index: names[index].lower() for index in members} == {i: member.lower() for i, member in members.items()}
    assert len({other.casefold() for other in names}) == count
    for other in names:
        assert other == ' '.join(other.split()) and not set(other) & set('_();'), other


def test_every_set_is_tested():
    assert set(KNOWN) == set(CATEGORY_SETS)


def test_imagenet_duplicates_get_names_of_their_own():
    names = category_names('imagenet')
    assert IMAGENET_CLASSNAMES[657] == IMAGENET_CLASSNAMES[744] == 'missile'
    assert IMAGENET_CLASSNAMES[836] == IMAGENET_CLASSNAMES[837] == 'sunglasses'
    assert [names[index] for index in (657, 744, 836, 837)] == ['missile', 'projectile', 'sunglass', 'sunglasses']


def test_lvis_qualifiers_stay_only_where_they_tell_names_apart():
    raw, names = CATEGORY_SETS['lvis'](), category_names('lvis')
    assert names[raw.index('bow_(weapon)')] == 'bow, weapon'
    assert names[raw.index('bow_(decorative_ribbons)')] == 'bow, decorative ribbons'
    assert names[raw.index('fish')] == 'fish'
    assert names[raw.index('fish_(food)')] == 'fish, food'
    assert names[raw.index('alcohol')] == 'alcohol'
    assert names[raw.index('bat_(animal)')] == 'bat'
    assert sum(', ' in name for name in names) == 9


@pytest.mark.parametrize('dataset, name', [('mmdet.CocoDataset', 'coco'), ('mmseg.ADE20KDataset', 'ade20k')])
def test_data_set_type_gives_its_metainfo(dataset, name):
    assert category_names(dataset) == category_names(name)


@pytest.mark.parametrize('dataset', ['mmdet.Coco2Dataset', 'nowhere.CocoDataset'])
def test_unknown_data_set_type(dataset):
    with pytest.raises(UserError, match=f"no data set type '{dataset}'"):
        category_names(dataset)


def test_data_set_type_without_classes():
    with pytest.raises(UserError, match='mmdet.ConcatDataset declares no classes'):
        category_names('mmdet.ConcatDataset')


@pytest.mark.slow
def test_imagenet_imports_no_downstream_library():
    code = "import sys; from lgd_mm.language import category_names; category_names('imagenet'); " \
           "assert not {'mmdet', 'mmseg'} & set(sys.modules), 'imported'"
    subprocess.run([sys.executable, '-c', code], check=True)
