"""Regions are those of a detector's own test, and another detector's features are of the same boxes, in their order."""

import json
import runpy

import cv2
import numpy as np
import pytest
import torch
from mmdet.models.roi_heads.bbox_heads import BBoxHead, ConvFCBBoxHead, Shared4Conv1FCBBoxHead
from mmdet.structures.bbox import bbox2roi
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope

from lgd_mm.datasets.regions import check_same_boxes, with_boxes
from lgd_mm.datasets.regions import store as store_module
from lgd_mm.engine.regions import RegionExtractor
from lgd_mm.engine.regions.checkpoint import _tags, _width
from lgd_mm.engine.regions.detector import box_features
from lgd_mm.engine.regions.images import _name
from lgd_mm.errors import DataError, UserError
from tests.detectors import CLASSES, SIZES, built, extract, write_detector, write_images_of_shapes
from tests.tiny import ROOT, run_tool


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(store_module, 'PART', 2)
    init_default_scope('mmdet')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_images_of_shapes(tmp_path_factory.mktemp('data'))


@pytest.fixture(scope='module')
def student(data, tmp_path_factory):
    init_default_scope('mmdet')
    return write_detector(tmp_path_factory.mktemp('student'), data)


@pytest.fixture(scope='module')
def teacher(data, tmp_path_factory):
    """It sees images at another scale, with another one for each axis."""
    init_default_scope('mmdet')
    return write_detector(tmp_path_factory.mktemp('teacher'), data, 1, 'teacher', (112, 80), False, 'faster-rcnn')


@pytest.fixture
def store(student, tmp_path):
    return extract(student, tmp_path / 'student')


def loaded(files):
    detector = built(files[0])
    detector.load_state_dict(torch.load(files[1])['state_dict'])
    return detector


@torch.no_grad()
def logits_at(files, data, names, boxes, stage=()):
    """Class logits of a detector's own head at boxes in pixels of the images, all in one batch."""
    detector = loaded(files)
    steps = [dict(step) for step in Config.fromfile(files[0]).test_dataloader.dataset.pipeline]
    read = Compose([step for step in steps if step['type'] != 'LoadAnnotations'])
    batch = detector.data_preprocessor(pseudo_collate(
        [read(dict(img_path=f'{data}/images/{name}', img_id=0)) for name in names]))
    rois = []
    for sample, each in zip(batch['data_samples'], boxes):
        (height, width), (tall, wide) = sample.img_shape[:2], sample.ori_shape[:2]
        rois.append(torch.tensor(each) * torch.tensor([width / wide, height / tall] * 2, dtype=torch.float32))
    return detector, detector.roi_head._bbox_forward(
        *stage, detector.extract_feat(batch['inputs']), bbox2roi(rois))['cls_score']


def test_boxes_are_those_of_the_detectors_own_test(student, data, store):
    detector = loaded(student)
    dataset = Config.fromfile(student[0]).test_dataloader.dataset
    read = Compose([dict(step) for step in dataset.pipeline if step['type'] != 'LoadAnnotations'])
    assert store.names == [item['file_name'] for item in json.loads((data / 'set.json').read_text())['images']]
    assert store.about['tags'] == CLASSES and store.about['width'] == 24
    counts = []
    for start in (0, 2, 4):  # its own batches, which decide how images are padded
        names = store.names[start:start + 2]
        with torch.no_grad():
            results = detector.test_step(pseudo_collate(
                [read(dict(img_path=f'{data}/images/{name}', img_id=0)) for name in names]))
        for name, result in zip(names, results):
            regions, wanted = store.row(name), result.pred_instances[:50].cpu().numpy()
            assert regions.size == SIZES[store.names.index(name)]
            counts.append(len(result.pred_instances))
            assert len(regions.boxes) == min(counts[-1], 50)
            np.testing.assert_allclose(regions.boxes, wanted.bboxes, atol=1e-3)
            np.testing.assert_array_equal(regions.scores, wanted.scores.astype(np.float16))
            np.testing.assert_array_equal(regions.tags, wanted.labels)
            assert (np.diff(regions.scores) <= 0).all() and with_boxes(regions).shape[1] == 24 + 6
    assert min(counts) < 50 < max(counts), counts  # images with more boxes than are kept, and with fewer


def test_features_are_what_the_head_classifies(student, data, store):
    rows = [store.row(name) for name in store.names[:2]]
    detector, logits = logits_at(student, data, store.names[:2], [row.boxes for row in rows])
    features = torch.from_numpy(np.concatenate([row.features for row in rows])).float()
    torch.testing.assert_close(detector.roi_head.bbox_head.fc_cls(features), logits, atol=5e-3, rtol=5e-3)


def test_the_mean_of_the_map_behind_the_feature(student, teacher, data, store, tmp_path):
    """Which keeps what the classes do not tell; another detector's, too, in the same boxes."""
    both = extract(student, tmp_path / 'both', with_map=True)
    assert (both.about['width'], both.about['with_map']) == (24 + 16, True) and 'with_map' not in store.about
    assert both.about['detector']['config'] != store.about['detector']['config']
    detector, seen = loaded(student), []
    detector.roi_head.bbox_head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    names = both.names[:2]
    read = Compose([dict(step) for step in Config.fromfile(student[0]).test_dataloader.dataset.pipeline
                    if step['type'] != 'LoadAnnotations'])
    batch = detector.data_preprocessor(pseudo_collate(
        [read(dict(img_path=f'{data}/images/{name}', img_id=0)) for name in names]))
    scales = [torch.tensor(sample.scale_factor * 2) for sample in batch['data_samples']]
    rois = bbox2roi([(torch.tensor(both.row(name).boxes) * scale).float() for name, scale in zip(names, scales)])
    with torch.no_grad():
        detector.roi_head._bbox_forward(detector.extract_feat(batch['inputs']), rois)
    features = np.concatenate([both.row(name).features for name in names])
    np.testing.assert_allclose(features[:, 24:], seen[0].mean(dim=(2, 3)), atol=2e-3, rtol=2e-3)
    np.testing.assert_array_equal(features[:, :24], np.concatenate([store.row(name).features for name in names]))
    theirs = extract(teacher, tmp_path / 'theirs', boxes=str(store.folder), with_map=True)
    check_same_boxes(store, theirs)
    alone = {'roi_head.bbox_head.fc_cls.weight': torch.zeros(4, 16)}
    with pytest.raises(UserError, match='shares no linear layer.*leave --with-map out'):
        _width(alone, dict(roi_head=dict(bbox_head=dict(in_channels=16))), 'plain.pth', with_map=True)


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
    assert len(files) == 5
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
                      "model['train_cfg'] = None\n")
    torch.save(dict(state_dict=built(config).state_dict()), checkpoint)
    store = extract((config, checkpoint), tmp_path / 'store')
    rows = [store.row(name) for name in store.names[:2]]
    assert store.about['width'] == 24 and len(rows[0].boxes)
    detector, logits = logits_at((config, checkpoint), data, store.names[:2], [row.boxes for row in rows], (1, ))
    features = torch.from_numpy(np.concatenate([row.features for row in rows])).float()
    torch.testing.assert_close(detector.roi_head.bbox_head[1].fc_cls(features), logits, atol=5e-3, rtol=5e-3)


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
    cv2.imwrite(str(images / '2.png'), np.zeros((1, 200, 3), np.uint8))  # of no height, at 64 x 64
    with pytest.raises(UserError, match=r'2.png cannot be read \(200 x 1 pixels: too narrow'):
        extract(student, tmp_path / 'flat', images=str(images))
    (images / '1.jpg').write_bytes(b'')
    (images / '2.png').write_bytes(b'\x89PNG cut off')
    with pytest.raises(DataError, match=r'2 of 3 files below --images .* cannot be read as images: 1.jpg \(the file is '
                       r'empty\), 2.png \(no image of a known format\): replace them, or take them out'):
        extract(student, tmp_path / 'none', images=str(images))
    assert not (tmp_path / 'none').exists()
    (images / '1.jpg').unlink()
    (images / '2.png').write_bytes((data / 'images/2.png').read_bytes()[:60])  # its head is whole
    for workers in (0, 1):
        options = {'test_dataloader.num_workers': workers}
        with pytest.raises(UserError, match=r'2.png cannot be (read|decoded)'):
            extract(student, tmp_path / f'broken{workers}', images=str(images), cfg_options=options)
        assert not list((tmp_path / f'broken{workers}').rglob('*.npy'))


def test_wrong_detectors_are_told(student, teacher, store, data, tmp_path):
    config, checkpoint = student
    cases = [
        (ROOT / 'configs/coco/retinanet_r18_fpn_1x_coco.py', checkpoint, {}, 'a RetinaNet, which is no two-stage'),
        (teacher[0], checkpoint, {}, 'is a checkpoint of another model than the config describes'),
        (config, checkpoint, {'test_dataloader.dataset.metainfo.classes': ('nut', 'bolt', 'nail')},
         r'was trained with other classes \(nut, bolt, washer\) than .* names \(nut, bolt, nail\)'),
        (config, checkpoint, {'model.roi_head.bbox_head.num_classes': 4}, 'names 3 classes, and its detector has 4'),
        (config, checkpoint, {'model.roi_head.type': 'DoubleHeadRoIHead', 'model.roi_head.reg_roi_scale_factor': 1.3},
         'describes a MaskRCNN with DoubleHeadRoIHead, which has no features of boxes that are understood'),
        (config, checkpoint, {'test_dataloader': None, 'val_dataloader': None}, 'has no test pipeline of a detector'),
    ]
    for number, (wrong, weights, options, message) in enumerate(cases):
        with pytest.raises(UserError, match=message):
            extract((wrong, weights), tmp_path / str(number), cfg_options=options)
        assert not (tmp_path / str(number)).exists(), message
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


def test_images_are_named_by_their_path_below_the_folder():
    names = {'/data/images/a/1.jpg': 'a/1.jpg', '/data/images/..1.jpg': '..1.jpg',
             '/data/other/1.jpg': '/data/other/1.jpg'}
    assert {path: _name(path, '/data/images') for path in names} == names


def test_an_image_that_is_listed_twice_is_told(student, data, tmp_path):
    listed = json.loads((data / 'set.json').read_text())
    listed['images'].append({**listed['images'][0], 'id': 99})
    (tmp_path / 'twice.json').write_text(json.dumps(listed))
    options = {'test_dataloader.dataset.ann_file': str(tmp_path / 'twice.json')}
    with pytest.raises(UserError, match=r"image '0.png' is there twice"):
        extract(student, tmp_path / 'store', cfg_options=options)


def test_the_tool_answers_mistakes_before_the_libraries(student, tmp_path, monkeypatch):
    """In one process: each answer is that of the options' check."""
    tool = runpy.run_path(str(ROOT / 'tools/extract_regions.py'))
    out, files = ['--out', 'x'], list(map(str, student))
    for words, message in (
            ([*files, '--grid', '33'], '--grid 33: give a number from 1 to 32'),
            ([*files, '--most', '0'], '--most 0: give a number from 1 to 1000'),
            ([*files, '--grid', '7', '--boxes', 's'], '--boxes s and --grid 7: give one of them'),
            ([*files, '--grid', '7', '--most', '9'], '--most 9 and --grid 7: --grid says how many regions there are'),
            ([files[0]], 'without a checkpoint: give that of the detector'),
            ([*files, '--boxes', str(tmp_path)], 'holds no regions.json'),
            ([*files, '--images', files[0]], 'is no folder'),
            (['none.py', files[1]], 'config none.py does not exist'),
            ([files[0], 'none.pth'], 'none.pth does not exist')):
        monkeypatch.setattr('sys.argv', ['extract_regions.py', *words, *out])
        with pytest.raises(UserError, match=message):
            tool['check'](tool['parse_args']())


def test_the_tool(student, data, tmp_path):
    done = run_tool('tools/extract_regions.py', *student, '--images', data / 'images', '--out', tmp_path / 'store',
                    '--share', '1/1')
    assert done.returncode == 0, done.stderr
    assert f'{tmp_path}/store is complete: regions of 5 images' in done.stdout
    again = run_tool('tools/extract_regions.py', *student, '--out', tmp_path / 'store', '--most', '5')
    assert again.returncode == 2 and 'is a store of regions with another number of regions' in again.stderr
    assert 'Traceback' not in again.stderr


def test_classes_of_a_known_data_set_need_not_be_named():
    cfg = Config.fromfile(ROOT / 'configs/coco/mask-rcnn_r18_fpn_1x_coco.py')
    assert _tags(cfg, {}, 'c.py', 'c.pth')[:2] == ['person', 'bicycle']
    with pytest.raises(UserError, match=r'was trained with other classes \(0, 1, 2, 3, 4 and 75 more\)'):
        _tags(cfg, dict(CLASSES=tuple(map(str, range(80)))), 'c.py', 'c.pth')  # as mmdet 2 wrote them
