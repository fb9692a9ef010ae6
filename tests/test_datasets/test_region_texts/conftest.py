"""Two stores of regions of three images, with captions of them."""

import json

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from lgd_mm.datasets.regions import Regions, RegionStore

WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'red', 'blue', 'star', 'ring', 'what', 'colour', 'is',
         'the', 'traffic', 'light', 'left', 'of']
LENGTHS = 8, 4, 3
#: Of each image: boxes (x1, y1, x2, y2) and tags.
SEEN = {'1.jpg': [(0, 0, 20, 10, 0), (10, 5, 40, 20, 2)], '2.jpg': [], '3.jpg': [(0, 0, 10, 10, 1)] * 5}


def store(folder, width=4, boxes=None, seen=SEEN, seed=0):
    draws = np.random.default_rng(seed)
    made = RegionStore.create(folder, dict(
        detector=dict(config=f'{width}', weights='w'), width=width, most=5, tags=['star', 'ring', 'traffic light'],
        grid=None, boxes=boxes), list(seen))
    made.write(0, [Regions(
        np.array([region[:4] for region in regions], np.float32).reshape(-1, 4),
        np.linspace(1, 0.5, len(regions)).astype(np.float16), np.array([region[4] for region in regions], np.int16),
        draws.standard_normal((len(regions), width)).astype(np.float16), (40, 20)) for regions in seen.values()])
    return made


@pytest.fixture
def parts(tmp_path):
    """Arguments of a data set of captions, and of one of questions."""
    init_default_scope('mmpretrain')
    ours = store(tmp_path / 'student')
    store(tmp_path / 'teacher', width=6, boxes=ours.about['fingerprint'], seed=1)
    (tmp_path / 'vocab.txt').write_text('\n'.join(WORDS))
    (tmp_path / 'answers.txt').write_text('red\n2\nno\n')
    captions = [dict(image='1.jpg', caption=['A red star', 'a blue ring left of a red star']),
                dict(image='2.jpg', caption='the ring'), dict(image='3.jpg', caption=['a star'])]
    (tmp_path / 'captions.json').write_text(json.dumps(captions))
    common = dict(regions=str(tmp_path / 'student'), teacher_regions=str(tmp_path / 'teacher'),
                  vocabulary=str(tmp_path / 'vocab.txt'), lengths=LENGTHS)
    source = dict(type='COCOCaption', data_root=str(tmp_path), ann_file='captions.json', data_prefix=dict(img_path=''))
    return tmp_path, dict(common, source=source), common
