"""A pre-training through the front door, made once."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import lgd_mm
from lgd_mm.api import Run
from lgd_mm.datasets.shapes import make_scene
from tests.isolation import forget_runs
from tests.own_sets import write_image

NAMES = ['circle', 'square', 'star']
#: Of labelled images.
CLASSES = 'circle', 'square'
#: Makes the student small; the rest is as a user has it.
SLIM = {'model.backbone.stem_channels': 8, 'model.backbone.base_channels': 8}


@pytest.fixture(scope='session')
def photos(tmp_path_factory) -> Path:
    """Twenty images of the generated world, in nested folders."""
    folder = tmp_path_factory.mktemp('photos')
    for index in range(20):
        path = folder / f'part{index % 2}' / f'{index:02}.png'
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.ascontiguousarray(make_scene('pretrain', index).image[..., ::-1]))
    return folder


@pytest.fixture(scope='session')
def birds(tmp_path_factory):
    """Two classes, eight images to train and four to test with."""
    folder = tmp_path_factory.mktemp('birds')
    for split, count in (('train', 4), ('val', 2)):
        for label, name in enumerate(CLASSES):
            for index in range(count):
                write_image(folder / split / name / f'{index}.jpg', 2 * index + label)
    return folder


@pytest.fixture(scope='session')
def arguments(photos) -> dict:
    """Of pretrain(), without out."""
    return dict(images=photos, classes=NAMES, teacher='shapes', epochs=2, workers=0, amp='off', options=SLIM,
                templates=['a {}.'])


@pytest.fixture(scope='session')
def run(tmp_path_factory, arguments) -> Run:
    """Two epochs of two steps."""
    forget_runs()
    return lgd_mm.pretrain(**arguments, batch_size=8, out=tmp_path_factory.mktemp('runs') / 'run')
