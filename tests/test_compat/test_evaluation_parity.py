"""faster-coco-eval gives the numbers of pycocotools and of lvis, for boxes and masks."""

import contextlib
import copy
import io
import json
import sys
from unittest.mock import patch

import faster_coco_eval
import numpy as np
import pytest

from lgd_mm.compat.lvis_api import LVIS, LVISEval, LVISResults, init_as_lvis
from lgd_mm.errors import UserError

SIDE = 400
#: Of lvis 0.5.3 on the same files (with ``numpy.float`` put back, which it needs).
BY_LVIS = {
    'bbox': [0.163786407131, 0.276537902973, 0.177057084233, 0.281733876379, 0.136151795197, 0.513895715464,
             0.248234832716, 0.181776656923, 0.061347731755, 0.483596376772, 0.519047619048, 0.437301587302,
             0.527619047619],
    'segm': [0.167558108889, 0.276537902973, 0.190826739909, 0.254054624761, 0.160178231503, 0.512071988449,
             0.262457478122, 0.177297466832, 0.062919381713, 0.485902218887, 0.526455026455, 0.44462962963,
             0.522043650794],
}


def shape(box):
    """A polygon that fills three quarters of a box (x, y, w, h)."""
    x, y, w, h = box
    return [[x, y, x + w, y, x + w, y + h / 2, x + w / 2, y + h, x, y + h]]


def annotated(count=16):
    """Images of objects in nine categories, some crowds, in the form of LVIS (which adds keys to COCO's)."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for image in range(1, count + 1):
        present = rng.choice(9, 4, replace=False) + 1
        absent = [category for category in range(1, 10) if category not in present][:3]
        images.append(dict(id=image, width=SIDE, height=SIDE, neg_category_ids=absent,
                           not_exhaustive_category_ids=[int(present[0])]))
        for category in present:
            for _ in range(rng.integers(1, 4)):
                size = float(rng.choice([20, 60, 160]))
                box = [float(value) for value in (*rng.uniform(0, SIDE - size, 2), size, size * 0.9)]
                annotations.append(dict(id=len(annotations) + 1, image_id=image, category_id=int(category), bbox=box,
                                        area=0.75 * box[2] * box[3], segmentation=shape(box), iscrowd=0))
    categories = [dict(id=index, name=f'c{index}', frequency='rcf'[index % 3]) for index in range(1, 10)]
    return dict(images=images, annotations=annotations, categories=categories)


def detected(truth, flood=0):
    """Most objects a little beside their place, and false ones; the first image has ``flood`` more of these."""
    rng = np.random.default_rng(1)
    found = [(one['image_id'], one['category_id'], np.array(one['bbox']) + rng.normal(0, 0.06 * one['bbox'][2], 4))
             for one in truth['annotations'] if rng.random() < 0.8]
    places = [image['id'] for image in truth['images'] for _ in range(8)] + [truth['images'][0]['id']] * flood
    ids = [category['id'] for category in truth['categories']]
    found += [(place, int(rng.choice(ids)), np.array([*rng.uniform(0, SIDE - 100, 2), *rng.uniform(10, 100, 2)]))
              for place in places]
    boxes = [(image, category, [float(value) for value in np.maximum(box, 1)]) for image, category, box in found]
    return [dict(image_id=image, category_id=category, bbox=box, score=float(rng.random()))
            for image, category, box in boxes]


def results(detections, kind):
    """As mmdet writes them: without the box for COCO's masks."""
    from faster_coco_eval.core import mask
    if kind == 'bbox':
        return detections
    return [dict({key: value for key, value in one.items() if key != 'bbox'},
                 segmentation=_text(mask.frPyObjects(shape(one['bbox']), SIDE, SIDE)[0])) for one in detections]


def _text(rle):
    counts = rle['counts']
    return dict(size=list(rle['size']), counts=counts.decode() if isinstance(counts, bytes) else counts)


def twelve(coco, evaluator, truth, detections, kind):
    """COCO's numbers by one of the two packages."""
    with contextlib.redirect_stdout(io.StringIO()):
        ground = coco()
        ground.dataset = copy.deepcopy(truth)
        ground.createIndex()
        evaluation = evaluator(ground, ground.loadRes(copy.deepcopy(detections)), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return np.array(evaluation.stats[:12])


@pytest.fixture(scope='module')
def pycocotools():
    """The package itself, which faster-coco-eval stands in for as soon as anything is trained."""
    with patch.dict(sys.modules):
        for name in [name for name in sys.modules if name.split('.')[0] == 'pycocotools']:
            del sys.modules[name]
        from pycocotools import coco, cocoeval
        assert 'faster' not in coco.__file__
        yield coco.COCO, cocoeval.COCOeval


def compare(pycocotools, truth, detections, kind):
    theirs = twelve(*pycocotools, truth, detections, kind)
    ours = twelve(faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster, truth, detections, kind)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    return theirs


@pytest.mark.parametrize('kind', ['bbox', 'segm'])
def test_coco_equals_pycocotools(pycocotools, kind):
    """All twelve, with crowds and with more detections than count."""
    truth = annotated()
    for one in truth['annotations'][::9]:
        one['iscrowd'] = 1
    numbers = compare(pycocotools, truth, results(detected(truth, flood=900), kind), kind)
    assert len(set(numbers)) == 12 and 0 < numbers.min() and numbers.max() < 1


@pytest.mark.real_data
@pytest.mark.parametrize('kind', ['bbox', 'segm'])
def test_coco_equals_pycocotools_on_coco(pycocotools, data_dir, kind):
    """The annotations of real images, with their polygons and crowds."""
    truth = json.loads((data_dir / 'coco' / 'annotations' / 'instances_val2017.json').read_text())
    detections = detected(truth)
    if kind == 'segm':
        sizes = {image['id']: (image['height'], image['width']) for image in truth['images']}
        from faster_coco_eval.core import mask
        detections = [dict(image_id=one['image_id'], category_id=one['category_id'], score=one['score'],
                           segmentation=_text(mask.frPyObjects(shape(one['bbox']), *sizes[one['image_id']])[0]))
                      for one in detections]
    assert compare(pycocotools, truth, detections, kind).min() > 0


@pytest.mark.parametrize('kind', ['bbox', 'segm'])
def test_lvis_equals_lvis(tmp_path, kind):
    """Federated: unjudged categories do not count, unfinished ones forgive, 300 detections an image at most."""
    truth = annotated()
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    (tmp_path / 'found.json').write_text(json.dumps(results(detected(truth, flood=600), kind)))
    ground = LVIS(str(tmp_path / 'truth.json'))
    evaluation = LVISEval(ground, LVISResults(ground, str(tmp_path / 'found.json')), kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    numbers = evaluation.get_results()
    assert list(numbers) == ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'APr', 'APc', 'APf', 'AR@300', 'ARs@300',
                             'ARm@300', 'ARl@300']
    np.testing.assert_allclose(list(numbers.values()), BY_LVIS[kind], rtol=0, atol=1e-9)


def test_a_file_that_is_not_of_lvis(tmp_path):
    """What is counted by is there, and paths come from what COCO has."""
    path = tmp_path / 'truth.json'

    def read(frequency='r', **change):
        truth = annotated(2)
        truth['images'][1].update(file_name='a.jpg', **change)
        truth['categories'][0]['frequency'] = frequency
        path.write_text(json.dumps(truth))
        return LVIS(str(path))

    assert read().imgs[2]['coco_url'] == 'a.jpg'
    assert read(coco_url='http://images.cocodataset.org/b.jpg').imgs[2]['coco_url'].endswith('b.jpg')
    for key in ('neg_category_ids', 'not_exhaustive_category_ids'):
        with pytest.raises(UserError, match=f"truth.json: image 2 has no list '{key}'"):
            read(**{key: None})
    for value in (None, 'x', 3):
        with pytest.raises(UserError, match=f'truth.json: category 1 has the frequency {value!r}, not "r", "c" or "f"'):
            read(frequency=value)


def test_lvis_without_detections(tmp_path):
    """mmdet asks for an IndexError."""
    (tmp_path / 'found.json').write_text('[]')
    with pytest.raises(IndexError):
        LVISResults(LVIS(), str(tmp_path / 'found.json'))


def test_lvis_knows_no_proposals():
    evaluation = LVISEval(None, None, 'bbox')
    evaluation.params.useCats = 0
    with pytest.raises(UserError, match='give bbox or segm'):
        evaluation.evaluate()


def test_mmdet_finds_it():
    """Both its data set and its metric import ``lvis``."""
    with patch.dict(sys.modules):
        init_as_lvis()
        import lvis
        assert lvis.LVISEval is LVISEval
