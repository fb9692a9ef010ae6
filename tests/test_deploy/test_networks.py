"""Each family of fine-tuned networks as a graph, against the network by its library's own test path."""

import json
import pickle
import runpy

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from torchvision.ops import batched_nms

from lgd_mm.datasets.shapes.scene import draw_scene
from lgd_mm.deploy import export, predict
from lgd_mm.deploy.reference import reference
from lgd_mm.deploy.source import read_finetuned
from lgd_mm.errors import UserError
from tests.own_sets import write_coco_set

DETECTORS = ['faster', 'mask', 'retina', 'atss', 'rtmdet']
SEGMENTORS = ['upernet', 'sem-fpn', 'segformer', 'linear-seg']


@pytest.fixture(autouse=True)
def no_clock(monkeypatch):
    monkeypatch.setattr(export, 'time_graph', lambda *arguments: [])


def scene(file):
    """An image that the export has not compared."""
    pixels = draw_scene(np.random.default_rng(7), 201, most=4).image[:90]
    Image.fromarray(pixels).save(file)


@pytest.mark.parametrize('name', [*DETECTORS, *SEGMENTORS, 'classifier'])
def test_a_family_predicts_the_same(name, finetuned, tmp_path):
    report, = export.export_finetuned(finetuned(name), dict(onnx=tmp_path / 'out'))
    assert report.agreement.images == 3 and report.agreement.close
    assert {file.name for file in report.files} == {'README.md', 'network.json', 'network.onnx', 'predict.py'}
    # Again, with what lies in the folder alone, on an image of a size that no one has compared.
    network = runpy.run_path(str(tmp_path / 'out' / 'predict.py'))['Network'](str(tmp_path / 'out'))
    scene(tmp_path / 'one.png')
    found = network(str(tmp_path / 'one.png'))
    expected = reference(read_finetuned(finetuned(name)), tmp_path / 'one.png')
    assert network.names == ['cat', 'dog', 'guinea pig'] and set(found) == set(expected)
    if name in DETECTORS:
        assert len(expected['boxes']) == len(found['boxes']) > 0
        np.testing.assert_allclose(found['scores'], expected['scores'], atol=1e-4)
        assert found['boxes'][:, 2].max() > 96  # in pixels of the original image
    elif name in SEGMENTORS:
        assert found['labels'].shape == (90, 201) and (found['labels'] != expected['labels']).mean() < 1e-3
        assert len(np.unique(found['labels'])) > 1 or name == 'segformer'
    else:
        np.testing.assert_allclose(found['scores'], expected['scores'], atol=1e-5)
        assert found['scores'].sum() == pytest.approx(1)


def test_a_card_tells_what_the_graph_takes(finetuned, tmp_path):
    report, = export.export_finetuned(finetuned('mask'), dict(onnx=tmp_path / 'out'), size=(64, 128))
    card = (tmp_path / 'out' / 'README.md').read_text()
    assert '| `images` | float32 (1, 3, 64, 128) |' in card and 'cat, dog, guinea pig' in card
    assert 'images that were drawn, as its test set is not there' in card
    assert 'of 64 x 128 pixels' in str(report)
    session = onnxruntime.InferenceSession(tmp_path / 'out' / 'network.onnx')
    assert session.get_inputs()[0].shape == [1, 3, 64, 128]
    assert [output.name for output in session.get_outputs()] == ['boxes', 'scores', 'labels', 'masks']
    about = json.loads((tmp_path / 'out' / 'network.json').read_text())
    assert about['steps'] == [{'do': 'within', 'size': [64, 128], 'with': 'opencv', 'filter': 'bilinear'}]
    # What is beyond the image is not looked at.
    network = predict.Network(str(tmp_path / 'out'))
    inputs = network.inputs(np.random.default_rng(0).integers(0, 256, (90, 201, 3), dtype=np.uint8))
    height, width = inputs['image_size']
    other = {**inputs, 'images': inputs['images'].copy()}
    other['images'][:, :, height:] = other['images'][:, :, :, width:] = 0.7
    assert height < 64 and all(np.array_equal(one, two) for one, two in zip(
        network.run(inputs).values(), network.run(other).values()))


def test_raw_boxes_and_scores_are_those_before_the_suppression(finetuned, tmp_path):
    path = finetuned('retina')
    export.export_finetuned(path, dict(onnx=tmp_path / 'out'), raw=True)
    scene(tmp_path / 'one.png')
    found = predict.Network(str(tmp_path / 'out'))(str(tmp_path / 'one.png'))
    assert found['boxes'].shape == (len(found['scores']), 4) and found['scores'].shape[1] == 3
    network = read_finetuned(path)
    test_cfg = network.model.test_cfg
    boxes, scores = (torch.from_numpy(found[name]) for name in ('boxes', 'scores'))
    likely = ((scores > test_cfg.score_thr) & (boxes[:, 2:] > boxes[:, :2]).all(1)[:, None]).nonzero()
    kept = batched_nms(boxes[likely[:, 0]], scores[tuple(likely.T)], likely[:, 1], test_cfg.nms.iou_threshold)
    expected = reference(network, tmp_path / 'one.png')
    # nms_pre, of each level, drops none of the best.
    np.testing.assert_allclose(scores[tuple(likely[kept].T)][:10], expected['scores'][:10], atol=1e-5)
    np.testing.assert_allclose(boxes[likely[kept][:10, 0]], expected['boxes'][:10], atol=0.01)


def test_the_same_boxes_as_the_test_tool(finetuned, tmp_path):
    """Not by any function of the export: through the runner, with batches, and from the file that it writes."""
    from mmengine.config import Config

    from lgd_mm.engine import launch
    path = finetuned('mask')
    data = write_coco_set(tmp_path / 'data', masks=True, val=3)
    cfg = Config.fromstring(torch.load(path, weights_only=False)['meta']['cfg'], '.py')
    cfg.test_dataloader.update(batch_size=1, num_workers=0, persistent_workers=False)
    cfg.dump(tmp_path / 'config.py')
    launch.test(str(tmp_path / 'config.py'), str(path), work_dir=str(tmp_path / 'work'), data=str(data),
                out=str(tmp_path / 'found.pkl'))
    export.export_finetuned(path, dict(onnx=tmp_path / 'out'), images=sorted((data / 'val').iterdir()))
    network = predict.Network(str(tmp_path / 'out'))
    with (tmp_path / 'found.pkl').open('rb') as file:
        results = pickle.load(file)
    assert len(results) == 3
    for result in results:
        expected, found = result['pred_instances'], network(result['img_path'])
        assert len(expected['scores']) == len(found['scores']) > 0
        order = np.lexsort((np.round(expected['scores'].numpy(), 4), expected['labels'].numpy()))
        other = np.lexsort((np.round(found['scores'], 4), found['labels']))
        np.testing.assert_allclose(found['scores'][other], expected['scores'].numpy()[order], atol=1e-4)
        np.testing.assert_allclose(found['boxes'][other], expected['bboxes'].numpy()[order], atol=0.05)


def slides(model):
    model.test_cfg = dict(mode='slide', crop_size=(64, 64), stride=(32, 32))


def softens(model):
    model.test_cfg.rcnn.nms = dict(type='soft_nms', iou_threshold=0.5)


def cascades(model):
    head = model.roi_head
    part = model.train_cfg.rcnn
    model.train_cfg.rcnn = [part]
    model.roi_head = dict(type='CascadeRoIHead', num_stages=1, stage_loss_weights=[1],
                          bbox_roi_extractor=head.bbox_roi_extractor, bbox_head=head.bbox_head)


@pytest.mark.parametrize('name, changed, said', [
    ('faster', cascades, 'its heads are RPNHead and CascadeRoIHead'),
    ('rtmdet-ins', None, 'its head is a RTMDetInsSepBNHead'),
    ('upernet', slides, 'by a window that slides'),
    ('faster', softens, 'suppressed by .*soft_nms'),
])
def test_a_network_of_another_kind_is_told(name, changed, said, finetuned, tmp_path):
    with pytest.raises(UserError, match=said) as told:
        export.export_finetuned(finetuned(name, changed), dict(onnx=tmp_path / 'out'))
    assert '--backbone-only' in str(told.value) and not list(tmp_path.iterdir())


def test_a_graph_that_predicts_something_else_is_not_written(finetuned, tmp_path, monkeypatch):
    from lgd_mm.deploy import check
    monkeypatch.setattr(check, 'reference', lambda network, file: dict(scores=np.array([0.5, 0.25, 0.25])))
    with pytest.raises(UserError, match='predicts something else than the network itself, on the images: 3 images'):
        export.export_finetuned(finetuned('classifier'), dict(onnx=tmp_path / 'out'))
    assert not list(tmp_path.iterdir())


def test_photographs_of_coco(data_dir, finetuned, tmp_path):
    photographs = sorted((data_dir / 'coco' / 'val2017').glob('*.jpg'))[:4]
    for name in ('retina', 'linear-seg'):
        report, = export.export_finetuned(finetuned(name), dict(onnx=tmp_path / name), images=photographs)
        assert report.agreement.images == 4 and report.agreement.close and 'that were given' in report.compared


def test_images_that_cannot_be_read_are_left_out(finetuned, tmp_path):
    broken = tmp_path / 'broken.jpg'
    broken.write_bytes(b'\xff\xd8\xff no image')
    scene(tmp_path / 'one.png')
    report, = export.export_finetuned(finetuned('classifier'), dict(onnx=tmp_path / 'out'),
                                      images=[broken, tmp_path / 'one.png'])
    assert report.agreement.images == 1
    with pytest.raises(UserError, match='none of the images .* can be read, such as .*broken.jpg'):
        export.export_finetuned(finetuned('classifier'), dict(onnx=tmp_path / 'other'), images=[broken])
    with pytest.raises(UserError, match='none of the images to calibrate on can be read, such as .*broken.jpg'):
        export.export_finetuned(finetuned('classifier'), dict(onnx=tmp_path / 'other'), images=[tmp_path / 'one.png'],
                                int8=True, calibration=[broken])
    assert not (tmp_path / 'other').exists()
