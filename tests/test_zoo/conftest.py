"""Small runs of every kind, each trained once, in folders as the tools leave them."""

from pathlib import Path

import pytest
from mmengine.config import DictAction

from lgd_mm.engine.launch import train
from tests.own_sets import DETECTOR, FASTER, SEGMENTER, UPERNET, write_coco_set, write_masks
from tests.tiny import write_images, write_lgd_config

SLIM = dict(stem_channels=8, base_channels=8)


@pytest.fixture(autouse=True)
def own_zoo(tmp_path, monkeypatch) -> Path:
    """An empty zoo for each test."""
    monkeypatch.setenv('LGD_ZOO_DIR', str(tmp_path / 'zoo'))
    return tmp_path / 'zoo'


@pytest.fixture(scope='session')
def pictures(tmp_path_factory) -> Path:
    """Twelve images in the folders of two classes."""
    folder = tmp_path_factory.mktemp('pictures')
    write_images(folder, 12)
    return folder


def options(lines: list[str]) -> dict:
    """``--cfg-options`` as the tools read them."""
    return {key: DictAction._parse_iterable(value) for key, value in (line.split('=', 1) for line in lines)}


@pytest.fixture(scope='session')
def pretrained(tmp_path_factory, pictures) -> Path:
    """A pre-training with the names cat, dog, bicycle and tree."""
    folder = tmp_path_factory.mktemp('pretrained')
    train(str(write_lgd_config(folder, pictures, train_cfg=dict(max_epochs=1))), work_dir=str(folder / 'Tiny Run'))
    return folder / 'Tiny Run'


@pytest.fixture(scope='session')
def classifier(tmp_path_factory, pictures, pretrained) -> Path:
    """A linear probe of that student."""
    folder = tmp_path_factory.mktemp('classifier') / 'probe'
    loaders = {f'{split}_dataloader': dict(num_workers=0, persistent_workers=False, batch_size=4, dataset=dict(
        data_root=str(pictures), data_prefix='')) for split in ('train', 'val', 'test')}
    train('configs/classification/linear_r18_folder.py', student=str(pretrained / 'student.safetensors'),
          work_dir=str(folder), cfg_options=dict(
              loaders, model=dict(backbone=SLIM, head=dict(num_classes=2)), train_cfg=dict(max_epochs=1),
              optim_wrapper=dict(optimizer=dict(lr=0.1)), default_hooks=dict(checkpoint=dict(interval=1))))
    return folder


@pytest.fixture(scope='session')
def detector(tmp_path_factory) -> Path:
    """Faster R-CNN on nuts, bolts and washers."""
    folder = tmp_path_factory.mktemp('detector')
    data = write_coco_set(folder / 'set')
    train(FASTER, data=str(data), work_dir=str(folder / 'nuts'), cfg_options=options(DETECTOR))
    return folder / 'nuts'


@pytest.fixture(scope='session')
def segmenter(tmp_path_factory) -> Path:
    """UPerNet on the same, and on the ground."""
    folder = tmp_path_factory.mktemp('segmenter')
    data = write_masks(folder / 'set', 'images/{split}', 'masks/{split}')
    train(UPERNET, data=str(data), work_dir=str(folder / 'masks'), cfg_options=options(SEGMENTER))
    return folder / 'masks'
