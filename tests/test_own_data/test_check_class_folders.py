"""Class folders and label lists that do not fit the classifier are told before anything is built."""

import pytest
from mmengine.config import Config

from lgd_mm.errors import UserError
from lgd_mm.own_data.check_class_folders import check_classes


def config(root, model=None, **train):
    dataset = dict(type='CustomDataset', data_root=str(root))
    return Config(dict(
        model=model or dict(head=dict(num_classes=2)),
        train_dataloader=dict(dataset={**dataset, 'data_prefix': 'train', **train}),
        val_dataloader=dict(dataset=dict(dataset, data_prefix='val'))))


@pytest.fixture
def root(tmp_path):
    for split in ('train', 'val'):
        for name in ('cat', 'dog'):
            (tmp_path / split / name).mkdir(parents=True)
    (tmp_path / 'meta').mkdir()
    return tmp_path


def told(cfg, *splits):
    with pytest.raises(UserError) as raised:
        check_classes(cfg, *splits)
    return str(raised.value)


def test_fitting_ones_pass(root):
    (root / 'train' / 'notes.txt').touch()
    (root / 'meta' / 'half.txt').write_text('cat/a b.jpg 0\ndog/c.jpg 1\n')
    check_classes(config(root), 'train', 'val')
    check_classes(config(root, ann_file='meta/half.txt'), 'train', 'val')
    check_classes(config(root, model=dict(num_classes=2)), 'train')
    check_classes(config(root, model=dict(backbone=dict())), 'train')


def test_test_images_beside_outliers(root):
    """A class folder more on one side numbers the classes differently, also where others stand beside it."""
    cfg = config(root)
    cfg.val_dataloader.dataset = dict(type='ConcatDataset', datasets=[
        cfg.val_dataloader.dataset, dict(type='lgd_mm.LabelledImages', data_root='others', with_label=False)])
    check_classes(cfg, 'train', 'val')
    (root / 'val' / 'dog').rename(root / 'val' / 'bird')
    assert 'must have folders of the same names' in told(cfg, 'train', 'val')


@pytest.mark.parametrize(('model', 'key'), [(dict(head=dict(num_classes=1000)), 'model.head.num_classes'),
                                            (dict(num_classes=1000), 'model.num_classes')])
def test_another_number_of_classes(root, model, key):
    assert told(config(root, model), 'val') == (
        f'{root}/val has 2 class folders, but {key} is 1000: give --cfg-options {key}=2')


@pytest.mark.parametrize('model', [dict(categories=['a', 'b', 'c']), dict(lgka=dict(categories=['a', 'b', 'c']))])
def test_another_number_of_names(root, model):
    """Zero-shot classification numbers its classes by the names."""
    sentence = told(config(root, model), 'val')
    assert f'{root}/val has 2 class folders, but model.' in sentence and 'categories has 3: set the name' in sentence


def test_no_imagenet(root):
    """Its number of classes is fixed."""
    cfg = config(root, dict(head=dict(num_classes=1000)), type='mmpretrain.ImageNet', split='train', data_prefix='')
    assert f'{root}/train has 2 class folders' in told(cfg, 'train')
    assert told(cfg, 'train').endswith('configs/classification/linear_r18_folder.py')


def test_the_list_that_imagenet_finds_by_itself(root):
    (root / 'meta' / 'train.txt').write_text('a.jpg 7\n')
    cfg = config(root, type='ImageNet', split='train', data_prefix='')
    assert told(cfg, 'train').startswith(f'{root}/meta/train.txt, line 1 has the label 7')


def test_other_classes_in_val(root):
    """Their labels would be shifted silently."""
    (root / 'val' / 'dog').rename(root / 'val' / 'cow')
    assert told(config(root), 'train', 'val').endswith('cow is only in one of them')


def test_accents_that_change_the_order(root):
    """mmpretrain numbers the classes by their names as they are stored."""
    for split, name in (('train', 'e\u0301a'), ('val', '\u00e9a')):
        (root / split / 'cat').rename(root / split / name)
        (root / split / 'dog').rename(root / split / 'z')
    assert f'{root}/train and {root}/val number their classes differently' in told(config(root), 'train', 'val')


@pytest.mark.parametrize(('line', 'sentence'), [
    ('dog/b.jpg 2', 'line 2 has the label 2, but model.head.num_classes stands for 2 classes, 0 to 1'),
    ('dog/b.jpg', "line 2 is 'dog/b.jpg': it must be an image's path and its label"),
])
def test_wrong_lists(root, line, sentence):
    (root / 'meta' / 'half.txt').write_text(f'cat/a.jpg 0\n{line}\n')
    assert sentence in told(config(root, ann_file='meta/half.txt'), 'train')


def test_a_class_that_one_part_lacks(root):
    """It is told before the number of classes, whichever that is; the cure works."""
    (root / 'train' / 'owl').mkdir()
    for count in (2, 3):
        cfg = config(root, dict(head=dict(num_classes=count)), type='lgd_mm.LabelledImages')
        if count == 3:
            assert f'{root}/val lacks owl, which {root}/train has' in told(cfg, 'train', 'val')
    (root / 'val' / 'owl').mkdir()
    check_classes(cfg, 'train', 'val')


def test_folders_that_are_no_classes(root):
    """Our data set leaves them out; mmpretrain's would number them."""
    (root / 'train' / '.ipynb_checkpoints').mkdir()
    (root / 'val' / '__MACOSX').mkdir()
    cfg = config(root, type='lgd_mm.LabelledImages')
    cfg.val_dataloader.dataset.type = 'lgd_mm.LabelledImages'
    check_classes(cfg, 'train', 'val')
    assert told(config(root), 'train') == (
        f'{root}/train holds .ipynb_checkpoints, which mmpretrain.CustomDataset takes for a class: remove it, or set '
        'type=lgd_mm.LabelledImages')
