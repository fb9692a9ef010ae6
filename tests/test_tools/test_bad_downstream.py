"""Data that does not fit a downstream config: one sentence each."""

import json
import re

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from lgd_mm.engine.checks.unreadable_image import bad_image
from lgd_mm.errors import UserError
from lgd_mm.own_data.check_config import check_categories
from tests.own_sets import DETECTOR, FASTER, SEGMENTER, UPERNET, write_coco_set, write_masks
from tests.tiny import run_tool


def train(config, root, work_dir, options):
    return run_tool('tools/train.py', config, '--data', root, '--work-dir', work_dir, '--cfg-options', *options)


def mistake(done, code=3):
    """The one sentence on stderr; 3 is of what is wrong in the data."""
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-2000:]
    assert 'Traceback' not in done.stderr.split('error: ')[0]
    errors = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert len(errors) == 1
    return errors[0]


def test_a_label_out_of_range(tmp_path):
    root = write_masks(tmp_path / 'set', 'images/{split}', 'masks/{split}')
    bad = root / 'masks/train/001.png'
    cv2.imwrite(str(bad), np.full((64, 64), 7, np.uint8))
    done = train(UPERNET, root, tmp_path / 'run', [*SEGMENTER, 'train_dataloader.num_workers=1'])
    assert f'{bad} has the label 7, but there are 4 classes, labels 0 to 3 (255 is ignored)' in mistake(done)


@pytest.mark.slow
def test_a_missing_image_and_the_choice_to_skip_it(tmp_path):
    root = write_coco_set(tmp_path / 'set')
    for split in ('train', 'val'):
        _forget_areas(root / f'annotations/{split}.json')
    (root / 'train/002.jpg').unlink()
    sentence = mistake(train(FASTER, root, tmp_path / 'run', [*DETECTOR, 'train_dataloader.num_workers=1']))
    assert f'{root}/train/002.jpg is missing' in sentence
    skip = sentence.split('--cfg-options ')[1]
    assert skip == 'train_dataloader.dataset.pipeline.0.ignore_empty=True'
    assert f'{root}/annotations/train.json names it' in sentence
    done = train(FASTER, root, tmp_path / 'run', [*DETECTOR, skip])
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'train.json: 4 objects have no "area", and that of their mask or box is taken' in done.stdout
    assert re.search(r'Epoch\(val\).*coco/bbox_mAP_[sm]: -?\d', done.stdout)


def _forget_areas(path):
    """As files of one's own lack them; ids count from 0, and an editor has put its mark at the start."""
    content = json.loads(path.read_text())
    for item in content['annotations']:
        item['id'] -= 1
        del item['area'], item['iscrowd']
    path.write_bytes(json.dumps(content).encode('utf-8-sig'))


def test_a_image_that_is_none(tmp_path):
    root = write_coco_set(tmp_path / 'set')
    (root / 'train/001.jpg').write_bytes(b'not an image')
    assert '001.jpg cannot be decoded: replace it' in mistake(train(FASTER, root, tmp_path / 'run', DETECTOR))


def test_categories_that_do_not_match(tmp_path):
    """mmdet would drop them all without a word."""
    root = write_coco_set(tmp_path / 'set')
    options = [f'{loader}_dataloader.dataset.{key}={value}'
               for loader, split in (('train', 'train'), ('val', 'val'), ('test', 'val'))
               for key, value in {'data_root': f'{root}/', 'ann_file': f'annotations/{split}.json',
                                  'data_prefix.img': f'{split}/'}.items()]
    options += [f'{split}_evaluator.ann_file={root}/annotations/val.json' for split in ('val', 'test')]
    done = run_tool('tools/train.py', FASTER, '--work-dir', tmp_path / 'run', '--cfg-options', *DETECTOR, *options)
    sentence = mistake(done, 2)
    assert 'train.json has no category person, bicycle, car, motorcycle, airplane and 75 more' in sentence
    assert 'it has nut, bolt, washer' in sentence and '--data FOLDER' in sentence


@pytest.fixture
def wrapped(tmp_path):
    """A config whose training set is wrapped, with the images of both splits in one folder."""
    for split, number in (('train', 1), ('val', 2)):
        (tmp_path / f'{split}.json').write_text(json.dumps(dict(images=[dict(file_name=f'number_{number}.jpg')])))

    def loader(split):
        return dict(type='CocoDataset', data_root=str(tmp_path), ann_file=f'{split}.json',
                    data_prefix=dict(img='images/', seg_map_path='masks/'), pipeline=[dict(type='LoadImageFromFile')])

    return Config(dict(train_dataloader=dict(dataset=dict(type='RepeatDataset', times=2, dataset=loader('train'))),
                       val_dataloader=dict(dataset=loader('val'))))


@pytest.mark.parametrize('path, sentence', [
    ('images/number_1.jpg', '{0}/images/number_1.jpg is missing, and {0}/train.json names it: put it back, take it out '
     'of {0}/train.json, or leave missing images out of training with --cfg-options '
     'train_dataloader.dataset.dataset.pipeline.0.ignore_empty=True'),
    ('images/number_2.jpg', '{0}/images/number_2.jpg is missing, and {0}/val.json names it: put it back, or take it '
     'out of {0}/val.json: evaluation skips no image'),
    ('masks/number_1.png', 'mask {0}/masks/number_1.png is missing: put it back, or take its image out of '
     '{0}/train.json'),
    ('elsewhere.jpg', '{0}/elsewhere.jpg is missing: put it back, or take it out of the data: evaluation skips no '
     'image'),
])
def test_what_is_told_of_a_missing_file(tmp_path, wrapped, path, sentence):
    error = FileNotFoundError(2, 'No such file or directory', f'{tmp_path}/{path}')
    assert bad_image(wrapped, error) == sentence.format(tmp_path)
    assert bad_image(wrapped, FileNotFoundError(2, 'No such file or directory', 'weights.pth')) is None


def test_classes_are_compared_with_the_file(tmp_path, capsys):
    """Also where the type of the data set has no scope and mmdet's sets are not imported yet."""
    root = write_coco_set(tmp_path / 'set')

    def check(*classes):
        dataset = dict(type='CocoDataset', data_root=str(root), ann_file='annotations/train.json',
                       metainfo=dict(classes=classes))
        wrapped = dict(type='RepeatDataset', times=2, dataset=dataset)
        check_categories(Config(dict(default_scope='mmdet', train_dataloader=dict(dataset=wrapped))), 'train')
        return capsys.readouterr().out

    assert check('nut', 'bolt', 'washer') == ''
    assert check('bolt') == (f'{root}/annotations/train.json: nut, washer are not in train_dataloader.dataset.dataset.'
                             'metainfo.classes, and left out (annotations: 3)\n')
    with pytest.raises(UserError, match='another order .* give the classes as nut, bolt'):
        check('bolt', 'nut')
    with pytest.raises(UserError, match=r'train.json has no category cat of .*\(it has nut, bolt, washer\)'):
        check('nut', 'cat')


def test_a_set_of_ones_own_without_the_option(tmp_path):
    """Classes in the config say that it is no published set, whose files are looked at as they are prepared."""
    root = write_coco_set(tmp_path / 'set')
    cfg = Config(dict(default_scope='mmdet', train_dataloader=dict(dataset=dict(
        type='CocoDataset', data_root=str(root), ann_file='annotations/train.json', data_prefix=dict(img='train/'),
        metainfo=dict(classes=['nut', 'bolt', 'washer'])))))
    check_categories(cfg, 'train')
    path = root / 'annotations/train.json'
    content = json.loads(path.read_text())
    content['images'][2]['height'] = 32
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match='train.json: image 3 is 64 x 64 as read, the file says 64 x 32'):
        check_categories(cfg, 'train')
    del cfg.train_dataloader.dataset.data_prefix  # no image is there to be looked at
    cfg.train_dataloader.dataset.metainfo.classes = ['bolt']
    content['annotations'][1]['iscrowd'] = 1
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match='train.json: no object is left to train with: annotation 2 is a crowd'):
        check_categories(cfg, 'train')


def test_lvis_goes_by_places(tmp_path, capsys):
    """mmdet calls a few of LVIS' categories by other names than the file, and never compares them."""
    from mmdet.datasets import LVISV1Dataset
    names = list(LVISV1Dataset.METAINFO['classes'])
    names[161] = 'horned_cow'
    path = tmp_path / 'lvis.json'
    path.write_text(json.dumps(dict(categories=[dict(id=index, name=name) for index, name in enumerate(names, 1)])))
    inner = dict(type='LVISV1Dataset', data_root=str(tmp_path), ann_file='lvis.json')
    cfg = Config(dict(default_scope='mmdet', train_dataloader=dict(dataset=dict(
        type='ClassBalancedDataset', oversample_thr=0.001, dataset=inner))))
    check_categories(cfg, 'train')
    assert capsys.readouterr().out == ''
    path.write_text(json.dumps(dict(categories=[dict(id=1, name='nut')])))
    with pytest.raises(UserError, match='lvis.json has 1 categories, but LVISV1Dataset has 1203 classes'):
        check_categories(cfg, 'train')
