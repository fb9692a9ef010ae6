"""Images of a world that nobody has written."""

import numpy as np
import pytest
from mmengine.registry import DefaultScope

from lgd_mm.datasets.shapes import make_scene
from lgd_mm.errors import UserError
from lgd_mm.registry import DATASETS


def drawn(steps=('PackInputs', ), **kwargs):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return DATASETS.build(dict(type='lgd_mm.DrawnImages', pipeline=[dict(type=step) for step in steps], **kwargs))


def test_they_are_those_of_the_world():
    dataset = drawn(kind='harder', images=3, seed=5)
    assert len(dataset) == 3
    for index in (2, 0):
        packed = dataset[index]
        scene = make_scene('zero_shot', index, 5, 'harder')
        assert np.array_equal(packed['inputs'].permute(1, 2, 0).numpy()[..., ::-1], scene.image)
        assert 'gt_label' not in packed['data_samples'] and packed['data_samples'].ori_shape == (64, 64)


def test_as_outliers():
    packed = drawn(('lgd_mm.LabelOutlier', 'PackInputs'), kind='harder', images=1)[0]
    assert packed['data_samples'].gt_label.tolist() == [-1]


def test_another_split():
    assert drawn(kind='shapes', split='val2017', images=1)[0]['inputs'].shape == (3, 128, 128)


@pytest.mark.parametrize(('kwargs', 'sentence'), [
    (dict(kind='easier'), "no generated world is called 'easier'"),
    (dict(kind='shapes', split='test'), "split 'test'; there are: pretrain, zero_shot"),
    (dict(kind='shapes', images=0), 'images=0'),
    (dict(kind='shapes', images='all'), "images='all'"),
])
def test_mistakes(kwargs, sentence):
    with pytest.raises(UserError, match=sentence):
        drawn(**kwargs)
