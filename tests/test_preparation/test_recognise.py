"""Which prepared data set a config means, and that every config's is known."""

import pytest
from mmengine.config import Config

from lgd_mm.engine.checks.preflight import check_data
from lgd_mm.errors import UserError
from lgd_mm.preparation.catalogue import SPECS
from lgd_mm.preparation.recognise import ROOTS, TYPES, dataset_name
from tests.configs import read_config
from tests.tiny import ROOT


@pytest.mark.parametrize(('dataset', 'scope', 'name'), [
    (dict(type='CocoDataset', data_root='/my/coco'), 'mmdet', 'coco'),
    (dict(type='mmdet.LVISV1Dataset'), 'mmpretrain', 'lvis'),
    (dict(type='ADE20KDataset'), 'mmseg', 'ade20k'),
    (dict(type='CityscapesDataset'), 'mmseg', 'cityscapes'),
    (dict(type='CityscapesDataset'), 'mmdet', None),  # boxes of the same images, in other files
    (dict(type='ImageNet', data_root='/x'), 'mmpretrain', 'imagenet'),
    (dict(type='lgd_mm.UnlabelledImages', data_root='data/imagenet/'), 'mmpretrain', 'imagenet'),
    (dict(type='CustomDataset', data_root='data/caltech256'), 'mmpretrain', 'caltech256'),
    (dict(type='CustomDataset', data_root='/x'), 'mmpretrain', None),
    (dict(type='COCOCaption', data_root='data/coco/'), 'mmpretrain', 'coco-captions'),
    (dict(type='COCOVQA', data_root='data/'), 'mmpretrain', 'vqa'),
    (dict(type='CocoDataset', metainfo=dict(classes=('a', ))), 'mmdet', None),  # the user's own
])
def test_dataset_name(dataset, scope, name):
    """By type and scope, else by the root the configs expect."""
    assert dataset_name(dataset, scope) == name


def test_names_are_those_of_the_command():
    """Also in the tool, which must not import the catalogue to print its help."""
    assert {*TYPES.values(), *ROOTS.values()} == set(SPECS)
    tool = (ROOT / 'tools/prepare_dataset.py').read_text()
    assert f'NAMES = {tuple(SPECS)}' in tool


def test_preflight_names_the_checker():
    """The command has the config's root; an evaluator's file belongs to its split's data set."""
    loader = dict(dataset=dict(type='RepeatDataset', dataset=dict(type='mmseg.ADE20KDataset', data_root='/gone/ade')))
    with pytest.raises(UserError, match='; python tools/prepare_dataset.py ade20k /gone/ade --check tells more$'):
        check_data(Config(dict(train_dataloader=loader, default_scope='mmseg')), 'train')
    coco = dict(val_dataloader=dict(dataset=dict(type='CocoDataset')), val_evaluator=dict(ann_file='/gone/a.json'))
    with pytest.raises(UserError, match='prepare_dataset.py coco ROOT --check tells more$'):
        check_data(Config(dict(**coco, default_scope='mmdet')), 'val')
    own = dict(type='CocoDataset', data_root='/gone', metainfo=dict(classes=['a']))
    with pytest.raises(UserError, match='data_root=PATH$'):
        check_data(Config(dict(val_dataloader=dict(dataset=own), default_scope='mmdet')), 'val')


def test_preflight_names_the_checker_of_texts(tmp_path):
    """Of a source within a data set; questions lie in another folder than images."""
    captions = read_config('distillvlm/distill-vlm_caption_coco.py')
    captions.train_dataloader.dataset.source.data_root = str(tmp_path)
    with pytest.raises(UserError, match=r'coco_karpathy_train.json does not exist \(train_dataloader.dataset.source.'
                       f'ann_file.*prepare_dataset.py coco-captions {tmp_path} --check tells more$'):
        check_data(captions, 'train')
    questions = read_config('distillvlm/distill-vlm_vqa_vqav2.py')
    questions.val_dataloader.dataset.source.data_root = str(tmp_path)
    with pytest.raises(UserError, match=r'vqav2/questions_val2014.json does not exist \(val_dataloader.dataset.source.'
                       f'question_file.*prepare_dataset.py vqa {tmp_path}/vqav2 --check tells more$'):
        check_data(questions, 'val')
