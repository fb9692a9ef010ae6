"""Predictions drawn by real, tiny, untrained models."""

import io
import json
import warnings
from collections import OrderedDict
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from PIL import Image

from lgd_mm.console.quiet import quiet_loading
from lgd_mm.errors import UserError
from lgd_mm.report.tiles import draw_tile
from lgd_mm.suite.colours import PALETTE, class_colours
from lgd_mm.suite.predictions import draw_predictions, find_models
from tests.test_suite.made_up import cell, results

BACKBONE = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=4, out_indices=(0, 1, 2, 3))
CHANNELS = [4, 8, 16, 32]
DETECTOR = """
_base_ = 'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py'
custom_imports = dict(imports=['lgd_mm', 'mmpretrain.models'], allow_failed_imports=False)
model = dict(
    backbone=dict(_delete_=True, **{backbone}),
    neck=dict(in_channels={channels}, out_channels=8),
    rpn_head=dict(in_channels=8, feat_channels=8),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=8),
        bbox_head=dict(in_channels=8, fc_out_channels=16, num_classes=2),
        mask_roi_extractor=dict(out_channels=8),
        mask_head=dict(in_channels=8, conv_out_channels=8, num_convs=1, num_classes=2)),
    test_cfg=dict(rpn=dict(nms_pre=20, max_per_img=10), rcnn=dict(score_thr=0.3, max_per_img=5)))
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(64, 64), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
val_dataloader = dict(dataset=dict(
    data_root={root!r}, ann_file='val.json', data_prefix=dict(img='images'), pipeline=test_pipeline,
    metainfo=dict(classes=('disc', 'box'), palette=[(220, 40, 40), (40, 90, 220)])))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file={root!r} + '/val.json')
test_evaluator = val_evaluator
"""
BOXES = DETECTOR + """
model['roi_head'].update(mask_head=None, mask_roi_extractor=None)
for step in test_pipeline:
    if step['type'] == 'LoadAnnotations':
        step['with_mask'] = False
"""
UNLABELLED = DETECTOR + """
test_pipeline.pop(2)
"""
SEGMENTOR = """
_base_ = ['mmseg::_base_/models/upernet_r50.py', 'mmseg::_base_/datasets/ade20k.py',
          'mmseg::_base_/default_runtime.py']
custom_imports = dict(imports=['lgd_mm', 'mmpretrain.models'], allow_failed_imports=False)
model = dict(
    pretrained=None,
    data_preprocessor=dict(size=(64, 64)),
    backbone=dict(_delete_=True, **{backbone}),
    decode_head=dict(in_channels={channels}, channels=8, num_classes=2, norm_cfg=dict(type='BN')),
    auxiliary_head=dict(in_channels=16, channels=8, num_classes=2, norm_cfg=dict(type='BN')))
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(64, 64), keep_ratio=True),
    dict(type='LoadAnnotations', reduce_zero_label=True),
    dict(type='PackSegInputs'),
]
val_dataloader = dict(dataset=dict(
    _delete_=True, type='BaseSegDataset', data_root={root!r}, reduce_zero_label=True, img_suffix='.png',
    data_prefix=dict(img_path='images', seg_map_path='segments'), pipeline=test_pipeline,
    metainfo=dict(classes=('disc', 'box'), palette=[(220, 40, 40), (40, 90, 220)])))
test_dataloader = val_dataloader
"""


def write_world(root: Path, count: int = 3, size: int = 64) -> None:
    """Images of one disc and one box each, in COCO and ADE20K form."""
    rng = np.random.default_rng(0)
    coco = dict(images=[], annotations=[], categories=[dict(id=1, name='disc'), dict(id=2, name='box')])
    for folder in ('images', 'segments'):
        (root / folder).mkdir(parents=True)
    for index in range(count):
        image = rng.integers(60, 130, (size, size, 3), dtype=np.uint8)
        segments = np.zeros((size, size), np.uint8)  # 0: ignored, as in ADE20K
        cv2.circle(image, (20, 20), 10, (40, 40, 220), -1)
        cv2.circle(segments, (20, 20), 10, 1, -1)
        cv2.rectangle(image, (36, 36), (56, 52), (220, 90, 40), -1)
        cv2.rectangle(segments, (36, 36), (56, 52), 2, -1)
        cv2.imwrite(str(root / f'images/{index}.png'), image)
        cv2.imwrite(str(root / f'segments/{index}.png'), segments)
        coco['images'].append(dict(id=index, file_name=f'{index}.png', height=size, width=size))
        for label in (1, 2):
            (contour, ), _ = cv2.findContours(
                (segments == label).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            x, y, w, h = cv2.boundingRect(contour)
            coco['annotations'].append(
                dict(id=len(coco['annotations']), image_id=index, category_id=label, bbox=[x, y, w, h], area=w * h,
                     iscrowd=0, segmentation=[contour.ravel().tolist()]))
    (root / 'val.json').write_text(json.dumps(coco))


def write_run(folder: Path, text: str, root: Path, scope: str) -> None:
    """An untrained model as training leaves it: config and checkpoint."""
    folder.mkdir(parents=True)
    config, checkpoint = folder / 'task.py', folder / 'epoch_1.pth'
    config.write_text(text.format(backbone=BACKBONE, channels=CHANNELS, root=str(root)))
    cfg = Config.fromfile(config)
    cfg.dump(config)  # as a run leaves it
    with DefaultScope.overwrite_default_scope(scope):
        model = MODELS.build(cfg.model)
    meta = dict(dataset_meta=dict(classes=('disc', 'box'), palette=[(220, 40, 40), (40, 90, 220)]))
    torch.save(dict(meta=meta, state_dict=model.state_dict()), checkpoint)
    (folder / 'last_checkpoint').write_text(str(checkpoint))


@pytest.fixture
def own_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets whatever scope earlier tests have set."""
    monkeypatch.setattr(DefaultScope, '_instance_dict', OrderedDict())


def size(tile: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(tile)) as image:
        assert image.format == 'WEBP'
        return image.size


def has_colour(tile: bytes, colour: tuple[int, int, int]) -> bool:
    """Whether at least as many pixels have it as a frame of 15 of 64 pixels."""
    with Image.open(io.BytesIO(tile)) as image:
        return int((np.abs(np.asarray(image.convert('RGB')).astype(int) - colour).max(-1) < 45).sum()) > 4 * 15 * 5


@pytest.mark.slow
@pytest.mark.parametrize('text, scope', [
    (DETECTOR, 'mmdet'), (BOXES, 'mmdet'), (UNLABELLED, 'mmdet'), (SEGMENTOR, 'mmseg')
], ids=['mask-rcnn', 'faster-rcnn', 'without truth', 'upernet'])
def test_tiles_of_real_models(text: str, scope: str, tmp_path: Path, capsys: pytest.CaptureFixture,
                              own_scope: None) -> None:
    write_world(tmp_path / 'world')
    torch.manual_seed(0)
    made = results({'task': []}, ['random', 'LGD', 'SEED'], [
        cell(label, 'task', seeds=(0, 1), folder=tmp_path) for label in ('random', 'LGD')
    ] + [cell('SEED', 'task', folder=tmp_path / 'gone')])
    for label in ('random', 'LGD'):
        write_run(tmp_path / f'{label}/seed0/task', text, tmp_path / 'world', scope)

    capsys.readouterr()
    models, gone = find_models(made, made.tasks[0])
    pictures = draw_predictions(models, n=2)

    assert capsys.readouterr().out == ''
    assert gone == []
    titles = ['random', 'LGD'] if text is UNLABELLED else ['ground truth', 'random', 'LGD']
    assert [[title for title, _ in picture.tiles] for picture in pictures] == 2 * [titles]
    assert {size(tile) for picture in pictures for _, tile in picture.tiles} == {(312, 312)}
    first, second = (picture.tiles[0][1] for picture in pictures)
    assert first != second
    if text in (DETECTOR, BOXES):  # frames of the true disc and box
        assert [has_colour(first, colour) for colour in PALETTE[:3]] == [True, True, False]
    names = [name for name, _ in pictures[0].legend]
    assert names == ([] if scope == 'mmdet' else ['disc', 'box'])
    models['LGD'][0].model.backbone.base_channels = 8192
    with pytest.raises(UserError, match='describes a network far larger than the .* values in it'):
        draw_predictions(models)


def test_a_deleted_checkpoint_is_told(tmp_path: Path, own_scope: None) -> None:
    made = results({'task': []}, ['A', 'B'], [cell(label, 'task', seeds=(0, ), folder=tmp_path) for label in 'AB'])
    for label in 'AB':
        (tmp_path / f'{label}/seed0/task').mkdir(parents=True)
        (tmp_path / f'{label}/seed0/task/task.py').write_text("default_scope = 'mmseg'\n")
    (tmp_path / 'A/seed0/task/last_checkpoint').write_text('/gone/iter_2.pth')
    assert find_models(made, made.tasks[0]) == ({}, ['A', 'B'])


def test_tasks_of_other_kinds_have_no_images(tmp_path: Path, own_scope: None) -> None:
    made = results({'task': []}, ['A'], [cell('A', 'task', seeds=(0, ), folder=tmp_path)])
    (tmp_path / 'A/seed0/task').mkdir(parents=True)
    (tmp_path / 'A/seed0/task/task.py').write_text("default_scope = 'mmpretrain'\n")
    assert find_models(made, made.tasks[0]) == ({}, [])
    assert draw_predictions({}) == []


def test_gone_images_are_named(tmp_path: Path) -> None:
    cfg = Config(dict(default_scope='mmdet', val_dataloader=dict(dataset=dict(data_root=str(tmp_path / 'gone')))))
    with pytest.raises(UserError, match='gone does not exist'):
        draw_predictions({'LGD': (cfg, tmp_path / 'epoch_1.pth')})


def test_only_known_lines_are_dropped(capsys: pytest.CaptureFixture) -> None:
    with pytest.warns(UserWarning, match='news') as caught, quiet_loading():
        print('loading annotations into memory...')
        print('a message nobody knows')
        warnings.warn('`reduce_zero_label` will be deprecated, one day', stacklevel=1)
        warnings.warn('news', stacklevel=1)
    assert capsys.readouterr().out == 'a message nobody knows\n'
    assert len(caught) == 1


def test_tasks_share_the_colours_of_a_class() -> None:
    detection, segmentation = ('ring', 'circle'), ('background', 'circle', 'ring')
    assert class_colours(detection).tolist() == class_colours(segmentation)[[2, 1]].tolist()
    assert tuple(class_colours(detection)[1]) == PALETTE[0]


def test_many_classes_have_colours_of_their_own() -> None:
    colours = class_colours([f'class {index:03d}' for index in range(150)])
    assert len({tuple(colour) for colour in colours.tolist()}) == 150


def test_a_tile_is_as_tall_as_its_image(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'red.png'), np.full((20, 40, 3), (0, 0, 255), np.uint8))
    coloured, grey = (draw_tile(Image.open(tmp_path / 'red.png'), lambda axes: None, grey) for grey in (False, True))
    assert size(coloured) == (312, 156)
    for tile, colour in ((coloured, (255, 0, 0)), (grey, (76, 76, 76))):
        with Image.open(io.BytesIO(tile)) as image:
            assert image.convert('RGB').getpixel((150, 70)) == pytest.approx(colour, abs=6)
