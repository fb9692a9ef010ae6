"""Few images of many: drawn by their list and the number of the draw alone, and no other is ever shown."""

import json

import cv2
import numpy as np
import pytest
from mmengine.registry import DATASETS as ROOT_DATASETS
from mmengine.registry import DefaultScope

import lgd_mm  # noqa: F401 - makes mmdet and mmseg importable
from lgd_mm.datasets.draws import draw_of_all, draw_of_each_class
from lgd_mm.errors import UserError

LABELS = [index % 4 for index in range(40)] + [3] * 10


def test_as_many_of_each_class_and_nested():
    for draw in range(5):
        drawn = {shots: draw_of_each_class(LABELS, shots, draw) for shots in (1, 5, 10)}
        for shots, places in drawn.items():
            assert np.bincount([LABELS[place] for place in places]).tolist() == [shots] * 4
            assert places == sorted(set(places))
        assert set(drawn[1]) < set(drawn[5]) < set(drawn[10])
    assert len({tuple(draw_of_each_class(LABELS, 5, draw)) for draw in range(5)}) == 5


def test_a_draw_is_for_ever():
    """By hand from numpy's frozen generator, and its numbers as they were when this was written."""
    places = [place for place, label in enumerate(LABELS) if label == 2]
    by_hand = {places[each] for each in np.random.RandomState([7, 2]).permutation(len(places))[:3]}
    drawn = draw_of_each_class(LABELS, 3, 7)
    assert {place for place in drawn if LABELS[place] == 2} == by_hand
    assert draw_of_each_class([0] * 6 + [1] * 6, 2, 0) == [3, 5, 6, 11]
    assert draw_of_all(10, 4, 3) == [0, 1, 8, 9]


def test_classes_do_not_look_at_each_other():
    """More images of one class leave the draws of the others."""
    fewer = draw_of_each_class(LABELS[:40], 5, 1)
    more = draw_of_each_class(LABELS, 5, 1)
    assert [place for place in fewer if LABELS[place] != 3] == [place for place in more if LABELS[place] != 3]


def test_of_all():
    assert set(draw_of_all(50, 5, 2)) < set(draw_of_all(50, 20, 2)) < set(draw_of_all(50, 50, 2)) == set(range(50))
    assert draw_of_all(50, 0.1, 2) == draw_of_all(50, 5, 2) and draw_of_all(50, 1.0, 2) == list(range(50))
    assert len(draw_of_all(3, 0.01, 0)) == 1


@pytest.mark.parametrize(('call', 'sentence'), [
    (lambda: draw_of_each_class([0, 0, 1], 2, 0, ['cat', 'dog']), '2 images of each class are asked for, but class dog '
     'has 1: give more images of it, or shots=1$'),
    (lambda: draw_of_each_class([0, 0], 1, 0, ['cat', 'dog']), 'class dog has 0: give more images of it$'),
    (lambda: draw_of_each_class([0, 0, 2], 1, 0), 'class 1 has 0: give more'),
    (lambda: draw_of_each_class([], 1, 0), 'class 0 has 0: give more'),
    (lambda: draw_of_each_class([0], 0, 0), 'shots=0: give a whole number of images of each class, 1 or more'),
    (lambda: draw_of_each_class([0], 1.0, 0), 'shots=1.0: give a whole number'),
    (lambda: draw_of_each_class([0], 1, -1), 'draw=-1: give the number of a draw'),
    (lambda: draw_of_each_class([0], 1, True), 'draw=True: give the number of a draw'),
    (lambda: draw_of_all(4, 5, 0), '5 images are asked for, and there are 4: give images=4 or fewer'),
    (lambda: draw_of_all(4, 0, 0), 'images=0: give a number of images, 1 or more, or their share'),
    (lambda: draw_of_all(4, 1.5, 0), 'images=1.5: give'), (lambda: draw_of_all(4, float('nan'), 0), 'images=nan: give'),
])
def test_mistakes(call, sentence):
    with pytest.raises(UserError, match=sentence):
        call()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Class folders, masks and a COCO file of twelve images, of which two have no object."""
    root, rng = tmp_path_factory.mktemp('few'), np.random.default_rng(0)
    images, annotations = [], []
    for index in range(12):
        image = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        for path in (f'classes/{"ab"[index % 2]}/{index:02}.png', f'images/{index:02}.jpg'):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(root / path), image)
        (root / 'masks').mkdir(exist_ok=True)
        cv2.imwrite(str(root / f'masks/{index:02}.png'), np.zeros((16, 16), np.uint8))
        images.append(dict(id=index, file_name=f'{index:02}.jpg', width=16, height=16))
        if index > 1:
            annotations.append(dict(id=index, image_id=index, category_id=1, bbox=[1, 1, 8, 8], area=64, iscrowd=0))
    (root / 'coco.json').write_text(json.dumps(dict(images=images, annotations=annotations, categories=[
        dict(id=1, name='cat')])))
    return root


def built(scope, **settings):
    with DefaultScope.overwrite_default_scope(scope):
        return ROOT_DATASETS.build(dict(type='lgd_mm.FewLabels', **settings))


def classes(folder):
    return dict(type='lgd_mm.LabelledImages', data_root=str(folder), data_prefix='classes', pipeline=[])


def test_class_folders(folder):
    few = built('mmpretrain', dataset=classes(folder), shots=2, draw=1)
    names = [few.get_data_info(index)['img_path'][-4 - 4:] for index in range(len(few))]
    expected = draw_of_each_class([0] * 6 + [1] * 6, 2, 1)
    assert [int(few[index]['gt_label']) for index in range(4)] == [0, 0, 1, 1]
    files = [f'a/{index:02}.png' for index in range(0, 12, 2)] + [f'b/{index:02}.png' for index in range(1, 12, 2)]
    assert names == [files[place] for place in expected] and few.metainfo['classes'] == ('a', 'b')


def test_objects(folder):
    """Those without objects are not drawn from; an image that a crop leaves without objects stands for another of the
    few."""
    coco = dict(type='CocoDataset', data_root=str(folder), ann_file='coco.json', data_prefix=dict(img='images'),
                metainfo=dict(classes=('cat', )), filter_cfg=dict(filter_empty_gt=True), pipeline=[])
    few = built('mmdet', dataset=coco, images=3)
    kept = {few.get_data_info(index)['img_id'] for index in range(3)}
    assert kept == {2 + place for place in draw_of_all(10, 3, 0)} and len(few) == 3
    few.pipeline = lambda info: None if info['img_id'] != min(kept) else info
    assert few.dataset.pipeline is few.pipeline
    assert {few[index]['img_id'] for index in range(3)} == {min(kept)}


def test_masks(folder):
    masks = dict(type='BaseSegDataset', data_root=str(folder), img_suffix='.jpg', pipeline=[],
                 data_prefix=dict(img_path='images', seg_map_path='masks'))
    few = built('mmseg', dataset=masks, images=0.25, draw=4)
    assert [int(few[index]['img_path'][-6:-4]) for index in range(3)] == draw_of_all(12, 3, 4)
    with pytest.raises(UserError, match='shots of each class need images of one class each, and BaseSegDataset has no '
                                        'label of an image: give images=N'):
        built('mmseg', dataset=masks, shots=1)


def test_wrapped_wrongly(folder):
    with pytest.raises(UserError, match='takes shots=N, .* or images=N, of all: give one'):
        built('mmpretrain', dataset=classes(folder))
    with pytest.raises(UserError, match='give one of them'):
        built('mmpretrain', dataset=classes(folder), shots=1, images=1)
    with pytest.raises(UserError, match='RepeatDataset wraps others: put it around each of these'):
        built('mmpretrain', dataset=dict(type='RepeatDataset', times=2, dataset=classes(folder)), shots=1)
