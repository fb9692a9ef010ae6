"""Regions are those of a detector's own test, and another detector's features are of the same boxes, in their order."""

import json
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
import torch
from mmdet.models.roi_heads.bbox_heads import BBoxHead, ConvFCBBoxHead, Shared4Conv1FCBBoxHead
from mmdet.structures.bbox import bbox2roi
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import MODELS, init_default_scope

from lgd_mm.datasets.regions import RegionStore, check_same_boxes, with_boxes
from lgd_mm.datasets.regions import store as store_module
from lgd_mm.engine.regions import RegionExtractor
from lgd_mm.engine.regions.detector import box_features
from lgd_mm.errors import UserError
from tests.tiny import ROOT, run_tool

SIZES = [(96, 64), (64, 96), (50, 50), (120, 40), (33, 77)]  # width, height
CLASSES = ['nut', 'bolt', 'washer']


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(store_module, 'PART', 2)
    init_default_scope('mmdet')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Images of different shapes in COCO's form; one has no object, as regions are of all."""
    root = tmp_path_factory.mktemp('data')
    (root / 'images/sub').mkdir(parents=True)
    rng = np.random.default_rng(0)
    images = []
    for number, (width, height) in enumerate(SIZES):
        name = f'sub/{number}.png' if number % 2 else f'{number}.png'
        coarse = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        cv2.imwrite(str(root / 'images' / name), cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
        images.append(dict(id=number + 1, file_name=name, width=width, height=height))
    objects = [dict(id=1, image_id=1, category_id=1, bbox=[4, 4, 9, 9], area=81, iscrowd=0)]
    categories = [dict(id=number + 1, name=name) for number, name in enumerate(CLASSES)]
    (root / 'set.json').write_text(json.dumps(dict(images=images, annotations=objects, categories=categories)))
    return root


def write_detector(folder, data, seed=0, name='detector', scale=(64, 64), keep_ratio=True, base='mask-rcnn', **model):
    """A slim detector with random weights that tell classes apart; its config and checkpoint."""
    folder.mkdir(exist_ok=True)
    settings = dict(
        classes=tuple(CLASSES), data_root=f'{data}/',
        model=dict(backbone=dict(stem_channels=8, base_channels=8, norm_cfg=dict(type='BN')),
                   neck=dict(in_channels=[8, 16, 32, 64], out_channels=16),
                   rpn_head=dict(in_channels=16, feat_channels=16, anchor_generator=dict(scales=[2])),
                   roi_head=dict(bbox_roi_extractor=dict(out_channels=16),
                                 bbox_head=dict(in_channels=16, fc_out_channels=24, num_classes=3),
                                 **(dict(mask_roi_extractor=dict(out_channels=16),
                                         mask_head=dict(in_channels=16, conv_out_channels=8, num_convs=1,
                                                        num_classes=3)) if base == 'mask-rcnn' else {})),
                   test_cfg=dict(rpn=dict(nms_pre=100, max_per_img=40), rcnn=dict(score_thr=0.05)), **model))
    pipeline = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=scale, keep_ratio=keep_ratio),
                dict(type='LoadAnnotations', with_bbox=True),
                dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'))]
    loader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=dict(
        data_root=f'{data}/', ann_file='set.json', data_prefix=dict(img='images/'),
        metainfo=dict(classes=tuple(CLASSES)), pipeline=pipeline))
    config = folder / f'{name}.py'
    config.write_text(f'_base_ = {str(ROOT / f"configs/coco/{base}_r18_fpn_1x_coco.py")!r}\n'
                      f'model = {settings["model"]!r}\nval_dataloader = {loader!r}\ntest_dataloader = val_dataloader\n'
                      f'train_dataloader = {loader!r}\n'
                      f"test_evaluator = dict(ann_file='{data}/set.json')\nval_evaluator = test_evaluator\n")
    detector = built(config, seed)
    for layer in (detector.roi_head.bbox_head.fc_cls, detector.roi_head.bbox_head.fc_reg):
        layer.weight.data *= 30
    checkpoint = folder / f'{name}.pth'
    torch.save(dict(meta=dict(dataset_meta=dict(classes=CLASSES)), state_dict=detector.state_dict()), checkpoint)
    return config, checkpoint


def built(config, seed=0):
    torch.manual_seed(seed)
    detector = MODELS.build(Config.fromfile(config).model)
    detector.backbone.init_cfg = None
    detector.init_weights()
    return detector.eval()


@pytest.fixture(scope='module')
def student(data, tmp_path_factory):
    init_default_scope('mmdet')
    return write_detector(tmp_path_factory.mktemp('student'), data)


@pytest.fixture(scope='module')
def teacher(data, tmp_path_factory):
    """It sees images at another scale, with another one for each axis."""
    init_default_scope('mmdet')
    return write_detector(tmp_path_factory.mktemp('teacher'), data, 1, 'teacher', (112, 80), False, 'faster-rcnn')


def extract(files, out, **options):
    RegionExtractor(str(files[0]), str(files[1]), str(out), **options).extract()
    return RegionStore(out)


@pytest.fixture
def store(student, tmp_path):
    return extract(student, tmp_path / 'student')


def loaded(files):
    detector = built(files[0])
    detector.load_state_dict(torch.load(files[1])['state_dict'])
    return detector


@torch.no_grad()
def logits_at(files, data, names, boxes):
    """Class logits of a detector's own head at boxes in pixels of the images, all in one batch."""
    detector = loaded(files)
    steps = [dict(step) for step in Config.fromfile(files[0]).test_dataloader.dataset.pipeline]
    read = Compose([step for step in steps if step['type'] != 'LoadAnnotations'])
    batch = detector.data_preprocessor(pseudo_collate(
        [read(dict(img_path=f'{data}/images/{name}', img_id=0)) for name in names]))
    rois = []
    for sample, each in zip(batch['data_samples'], boxes):
        (height, width), (tall, wide) = sample.img_shape[:2], sample.ori_shape[:2]
        rois.append(torch.from_numpy(each) * torch.tensor([width / wide, height / tall] * 2, dtype=torch.float32))
    return detector, detector.roi_head._bbox_forward(detector.extract_feat(batch['inputs']), bbox2roi(rois))['cls_score']


def test_boxes_are_those_of_the_detectors_own_test(student, data, store):
    detector = loaded(student)
    dataset = Config.fromfile(student[0]).test_dataloader.dataset
    read = Compose([dict(step) for step in dataset.pipeline if step['type'] != 'LoadAnnotations'])
    assert store.names == [item['file_name'] for item in json.loads((data / 'set.json').read_text())['images']]
    assert store.about['tags'] == CLASSES and store.about['width'] == 24
    for start in (0, 2, 4):  # its own batches, which decide how images are padded
        names = store.names[start:start + 2]
        with torch.no_grad():
            results = detector.test_step(pseudo_collate(
                [read(dict(img_path=f'{data}/images/{name}', img_id=0)) for name in names]))
        for name, result in zip(names, results):
            regions, wanted = store.row(name), result.pred_instances[:50].cpu().numpy()
            assert regions.size == SIZES[store.names.index(name)]
            assert 5 < len(regions.boxes) <= 50
            np.testing.assert_allclose(regions.boxes, wanted.bboxes, atol=1e-3)
            np.testing.assert_array_equal(regions.scores, wanted.scores.astype(np.float16))
            np.testing.assert_array_equal(regions.tags, wanted.labels)
            assert (np.diff(regions.scores) <= 0).all() and with_boxes(regions).shape[1] == 24 + 6


def test_features_are_what_the_head_classifies(student, data, store):
    rows = [store.row(name) for name in store.names[:2]]
    detector, logits = logits_at(student, data, store.names[:2], [row.boxes for row in rows])
    features = torch.from_numpy(np.concatenate([row.features for row in rows])).float()
    torch.testing.assert_close(detector.roi_head.bbox_head.fc_cls(features), logits, atol=5e-3, rtol=5e-3)


def test_the_same_boxes_give_the_same_features_bit_for_bit(student, store, tmp_path):
    again = extract(student, tmp_path / 'again', boxes=str(store.folder))
    for name in store.names:
        for ours, theirs in zip(store.row(name), again.row(name)):
            np.testing.assert_array_equal(ours, theirs)
    check_same_boxes(store, again)
    assert again.about['boxes'] == store.about['fingerprint']


def test_another_detectors_features_are_of_the_same_boxes_at_its_own_scale(teacher, data, store, tmp_path):
    theirs = extract(teacher, tmp_path / 'teacher', boxes=str(store.folder))
    check_same_boxes(store, theirs)
    rows = [theirs.row(name) for name in store.names[:2]]
    for name, row in zip(store.names, rows):
        np.testing.assert_array_equal(row.boxes, store.row(name).boxes)
        np.testing.assert_array_equal(row.tags, store.row(name).tags)
    detector, logits = logits_at(teacher, data, store.names[:2], [row.boxes for row in rows])
    features = torch.from_numpy(np.concatenate([row.features for row in rows])).float()
    torch.testing.assert_close(detector.roi_head.bbox_head.fc_cls(features), logits, atol=5e-3, rtol=5e-3)
    # and others than those of its own boxes
    own = extract(teacher, tmp_path / 'own')
    assert not np.array_equal(own.row('0.png').features, theirs.row('0.png').features)
    with pytest.raises(UserError, match='are features at other boxes than'):
        check_same_boxes(store, own)


def test_images_are_taken_in_the_order_of_the_boxes(student, store, data, tmp_path):
    """A folder lists them sorted; a row is looked up by its name."""
    listed = extract(student, tmp_path / 'listed', images=str(data / 'images'))
    assert listed.names != store.names and sorted(listed.names) == sorted(store.names)
    again = extract(student, tmp_path / 'again', images=str(data / 'images'), boxes=str(store.folder))
    assert again.names == store.names
    np.testing.assert_array_equal(again.row('0.png').features, store.row('0.png').features)
    with pytest.raises(UserError, match='have the images in another order'):
        check_same_boxes(store, listed)


def test_two_processes_write_what_one_does_and_a_stopped_one_goes_on(student, store, tmp_path):
    two = tmp_path / 'two'
    for number in (1, 0):
        extract(student, two, share=(number, 2))
    files = sorted(path.relative_to(two) for path in two.rglob('*') if path.is_file())
    assert [path.name for path in files] == ['images.txt', 'regions.json', '00000.npy', '00001.npy', '00002.npy'] or \
        len(files) == 5
    for file in files:
        assert (two / file).read_bytes() == (store.folder / file).read_bytes(), file
    whole = (two / 'regions/00001.npy').read_bytes()
    (two / 'regions/00001.npy').write_bytes(whole[:-200])
    planned = RegionExtractor(str(student[0]), str(student[1]), str(two)).plan()
    assert '3 files' in planned and '1 of them are missing, of 2 images' in planned
    before = (two / 'regions/00000.npy').stat().st_mtime_ns
    extract(student, two)
    assert (two / 'regions/00001.npy').read_bytes() == whole
    assert (two / 'regions/00000.npy').stat().st_mtime_ns == before


def test_a_plan_builds_no_network(student, tmp_path, monkeypatch):
    monkeypatch.setattr('lgd_mm.engine.regions.detector.DetectorRegions.__init__', lambda *_: pytest.fail('built'))
    planned = RegionExtractor(str(student[0]), str(student[1]), str(tmp_path / 'plan')).plan()
    assert planned == ('5 images x at most 50 boxes, features of width 24: 3 files, 0.0 MB; 3 of them are missing, of '
                       '5 images, 0.0 MB')
    assert not (tmp_path / 'plan').exists()


def test_few_and_no_regions(student, tmp_path, teacher):
    few = extract(student, tmp_path / 'few', most=3)
    every = extract(student, tmp_path / 'every')
    for name in few.names:
        assert len(few.row(name).boxes) == 3
        np.testing.assert_array_equal(few.row(name).boxes, every.row(name).boxes[:3])
    none = extract(student, tmp_path / 'none', cfg_options={'model.test_cfg.rcnn.score_thr': 1.})
    theirs = extract(teacher, tmp_path / 'theirs', boxes=str(none.folder))
    for name in none.names:
        assert none.row(name).boxes.shape == (0, 4) and theirs.row(name).features.shape == (0, 24)
        assert none.row(name).size == theirs.row(name).size == few.row(name).size
    check_same_boxes(none, theirs)


@pytest.mark.parametrize(('head', 'classifies'), [
    (lambda: Shared4Conv1FCBBoxHead(24, in_channels=16, num_classes=3), True),
    (lambda: ConvFCBBoxHead(2, 0, 0, 0, 0, 0, 16, in_channels=16, num_classes=3, with_avg_pool=True), True),
    (lambda: BBoxHead(with_avg_pool=True, in_channels=16, num_classes=3), True),  # as of a C4 detector
    (lambda: ConvFCBBoxHead(0, 0, 0, 2, 0, 0, in_channels=16, fc_out_channels=8, num_classes=3), False)])
def test_features_of_other_heads(head, classifies):
    torch.manual_seed(0)
    head, pooled = head().eval(), torch.rand(5, 16, 7, 7)
    features = box_features(head, pooled)
    if classifies:
        torch.testing.assert_close(head.fc_cls(features), head(pooled)[0])
    else:  # nothing is shared: the mean of the map
        torch.testing.assert_close(features, pooled.mean((2, 3)))


def test_a_cascade_gives_features_of_its_last_stage(data, tmp_path):
    stages = [dict(type='Shared2FCBBoxHead', in_channels=16, fc_out_channels=24, roi_feat_size=7, num_classes=3,
                   bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_means=[0.] * 4, target_stds=[0.1, 0.1, 0.2, 0.2]),
                   reg_class_agnostic=True, loss_cls=dict(type='CrossEntropyLoss'), loss_bbox=dict(type='L1Loss'))] * 2
    cascade = dict(type='CascadeRoIHead', _delete_=True, num_stages=2, stage_loss_weights=[1, 0.5], bbox_head=stages,
                   bbox_roi_extractor=dict(type='SingleRoIExtractor', out_channels=16, featmap_strides=[4, 8, 16, 32],
                                           roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=0)))
    config, checkpoint = write_detector(tmp_path / 'c', data, base='faster-rcnn')
    config.write_text(config.read_text() + f'model["type"] = "CascadeRCNN"\nmodel["roi_head"] = {cascade!r}\n'
                      "model['train_cfg'] = dict(rcnn=[None, None])\n")
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(Config.fromfile(config).model).state_dict()), checkpoint)
    store = extract((config, checkpoint), tmp_path / 'store')
    regions = store.row('0.png')
    assert store.about['width'] == 24 and len(regions.boxes)
    detector = MODELS.build(Config.fromfile(config).model).eval()
    detector.load_state_dict(torch.load(checkpoint)['state_dict'])
    head = detector.roi_head.bbox_head[-1]
    features = torch.from_numpy(regions.features).float()
    assert features.shape[1] == head.fc_cls.in_features


def test_unreadable_and_other_images_are_told(student, data, tmp_path):
    images = tmp_path / 'images'
    images.mkdir()
    for name in ('0.png', '2.png'):
        (images / name).write_bytes((data / 'images' / name).read_bytes())
    store = extract(student, tmp_path / 'store', images=str(images))
    (images / '2.png').write_bytes((data / 'images/0.png').read_bytes())  # of another size
    with pytest.raises(UserError, match=r'2.png has 96 x 64 pixels, and the boxes are of one of 50 x 50'):
        extract(student, tmp_path / 'other', images=str(images), boxes=str(store.folder))
    (images / '2.png').unlink()
    with pytest.raises(UserError, match=r"image '2.png' of the store of boxes .* is none of these 1 images"):
        extract(student, tmp_path / 'other', images=str(images), boxes=str(store.folder))
    (images / '2.png').write_bytes(b'\x89PNG cut off')
    for workers in (0, 1):
        options = {'test_dataloader.num_workers': workers}
        with pytest.raises(UserError, match=r'2.png cannot be (read|decoded)'):
            extract(student, tmp_path / f'broken{workers}', images=str(images), cfg_options=options)
        assert not list((tmp_path / f'broken{workers}').rglob('*.npy'))


def test_wrong_detectors_are_told(student, teacher, store, data, tmp_path):
    config, checkpoint = student
    cases = [
        (ROOT / 'configs/coco/retinanet_r18_fpn_1x_coco.py', checkpoint, {}, 'describes a RetinaNet, which is no two-st'),
        (teacher[0], checkpoint, {}, 'is a checkpoint of another model than the config describes'),
        (config, checkpoint, {'test_dataloader.dataset.metainfo.classes': ('nut', 'bolt', 'nail')},
         r'was trained with other classes \(nut, bolt, washer\) than .* names \(nut, bolt, nail\)'),
        (config, checkpoint, {'model.roi_head.bbox_head.num_classes': 4}, 'names 3 classes, and its detector has 4'),
        (config, checkpoint, {'model.roi_head.type': 'GridRoIHead'}, 'no features of boxes that are understood|Grid'),
        (config, checkpoint, {'test_dataloader': None, 'val_dataloader': None}, 'has no test pipeline of a detector'),
    ]
    for number, (wrong, weights, options, message) in enumerate(cases):
        with pytest.raises(UserError, match=message):
            extract((wrong, weights), tmp_path / str(number), cfg_options=options)
    with pytest.raises(UserError, match='with another detector: give another --out'):
        extract(teacher, store.folder)
    flipping = {'test_dataloader.dataset.pipeline': [
        dict(type='LoadImageFromFile'), dict(type='RandomFlip', prob=1.), dict(type='PackDetInputs')]}
    with pytest.raises(UserError, match='mirrors, crops or moves images'):
        extract(student, tmp_path / 'flipped', cfg_options=flipping)
    state = torch.load(checkpoint)
    state['state_dict']['rpn_head.rpn_cls.bias'][0] = float('nan')
    torch.save(state, tmp_path / 'nan.pth')
    with pytest.raises(UserError, match=r'weights that are NaN or infinite \(rpn_head.rpn_cls.bias\)'):
        extract((config, tmp_path / 'nan.pth'), tmp_path / 'nan')
    torch.save(dict(state_dict={'backbone.conv.weight': torch.ones(1)}), tmp_path / 'bare.pth')
    with pytest.raises(UserError, match='is of no two-stage detector'):
        extract((config, tmp_path / 'bare.pth'), tmp_path / 'bare')
    (store.folder / 'regions/00002.npy').unlink()
    with pytest.raises(UserError, match='lacks 1 of its 3 files'):
        extract(teacher, tmp_path / 'theirs', boxes=str(store.folder))


def test_an_image_that_is_listed_twice_is_told(student, data, tmp_path):
    listed = json.loads((data / 'set.json').read_text())
    listed['images'].append({**listed['images'][0], 'id': 99})
    (tmp_path / 'twice.json').write_text(json.dumps(listed))
    options = {'test_dataloader.dataset.ann_file': str(tmp_path / 'twice.json')}
    with pytest.raises(UserError, match=r"image '0.png' is there twice"):
        extract(student, tmp_path / 'store', cfg_options=options)
