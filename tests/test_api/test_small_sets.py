"""What fits a small set of detection or segmentation."""

import pytest
from mmengine.config import Config

from lgd_mm.api.auto import AUTO
from lgd_mm.api.configs import ready_config
from lgd_mm.api.finetuning import TASKS, settle, use_data
from lgd_mm.api.small_sets import SMALL, fit, longer_side, set_image_size, use_small_recipe
from lgd_mm.errors import UserError
from tests.own_sets import write_coco_set, write_masks

GIVEN = dict.fromkeys(('epochs', 'batch_size', 'lr', 'image_size', 'amp', 'workers'), AUTO)


def ready(task: str) -> Config:
    return Config.fromfile(ready_config(TASKS[task]))


@pytest.mark.parametrize(('task', 'longer', 'side'), [
    ('detection', 64, 128),  # enlarged twice, and no more
    ('detection', 200, 320),
    ('detection', 321, 352),  # a multiple of 32
    ('detection', 640, 640),
    ('detection', 4000, 800),  # the published shorter side
    ('segmentation', 640, 512),
    ('segmentation', 100, 224),
])
def test_the_size_follows_the_images(task, longer, side):
    assert fit(ready(task), 400, longer).image_size[0] == side


@pytest.mark.parametrize(('task', 'images', 'longer', 'batch'), [
    ('detection', 400, 320, 16),  # 20 pixels' worth of the published 2 x 1333 x 800
    ('detection', 400, 640, 4),
    ('detection', 400, 4000, 2),
    ('detection', 100, 320, 4),  # 20 steps would be of 5 images
    ('detection', 20, 320, 4),  # batch norms come before steps
    ('segmentation', 4000, 320, 8),
    ('segmentation', 4000, 512, 4),
])
def test_the_batch_follows_both(task, images, longer, batch):
    found = fit(ready(task), images, longer)
    assert found.batch_size[0] == batch
    assert fit(ready(task), images, longer, processes=2).batch_size[0] <= batch


def test_the_steps_of_a_run():
    """2,000, but no fewer passes than published and no more than 100."""
    detector = ready('detection')
    assert fit(detector, 400, 320).epochs[0] == 80  # 25 steps each
    assert fit(detector, 20, 320).epochs[0] == 100
    assert fit(detector, 4900, 320).epochs[0] == 12
    assert fit(detector, 400, 320, size=64).batch_size[0] == 16


def test_pipelines_keep_their_steps():
    """Flips are left of what changes an image; a whole image is cut out."""
    segmentor = ready('segmentation')
    set_image_size(segmentor, 96)
    rate = use_small_recipe(segmentor, 16)
    assert rate == pytest.approx(4e-4) == segmentor.optim_wrapper.optimizer.lr
    steps = {step.type: step for step in segmentor.train_dataloader.dataset.pipeline}
    assert list(steps) == ['LoadImageFromFile', 'LoadAnnotations', 'RandomResize', 'RandomCrop', 'RandomFlip',
                           'lgd_mm.PackSegInputs']
    assert (steps['RandomResize'].scale, steps['RandomResize'].ratio_range) == ((96, 96), (1.0, 1.0))
    assert (steps['RandomCrop'].crop_size, steps['RandomCrop'].cat_max_ratio) == ((96, 96), 1.0)
    assert segmentor.model.data_preprocessor.size == (96, 96)
    assert segmentor.val_dataloader.dataset.pipeline[1].scale == (96, 96)
    assert [(part.type, part.end) for part in segmentor.param_scheduler] == [
        ('LinearLR', 4000), ('CosineAnnealingLR', 80000)]


def test_a_detector_of_a_few_images(tmp_path):
    """What was settled is in the config, with its reasons; what is given stays."""
    cfg = ready('detection')
    images = use_data(cfg, 'detection', str(write_coco_set(tmp_path / 'set', train=9)))
    assert longer_side(cfg) == 64
    settle(cfg, {**GIVEN, 'epochs': 3}, images)
    assert {name: cfg.auto[name]['value'] for name in ('image_size', 'batch_size', 'epochs', 'lr', 'recipe')} == dict(
        image_size=128, batch_size=3, epochs=3, lr=pytest.approx(2e-4 * (3 / 4)**0.5, abs=1e-6), recipe='small set')
    assert 'longer side of at most 64' in cfg.auto.image_size.why and cfg.auto.epochs.why == 'given'
    assert cfg.train_dataloader.batch_size == 3 and cfg.optim_wrapper.optimizer.type == 'AdamW'
    assert [(part.type, part.end) for part in cfg.param_scheduler] == [('CosineAnnealingLR', 3)]  # 9 steps warm nothing
    assert cfg.train_cfg.max_epochs == 3


def test_larger_sets_are_as_published(tmp_path):
    """So is a run that was begun before; a size may be given there, too."""
    data = str(write_masks(tmp_path / 'set', 'images/{split}', 'masks/{split}', train=4, val=1))
    for images, fitting in ((SMALL, True), (100, False)):
        cfg = ready('segmentation')
        use_data(cfg, 'segmentation', data)
        settle(cfg, {**GIVEN, 'image_size': 256}, images, fitting)
        assert (cfg.optim_wrapper.optimizer.type, cfg.train_dataloader.batch_size) == ('SGD', 4)
        assert cfg.train_dataloader.dataset.pipeline[3].crop_size == (256, 256)
        assert cfg.auto.recipe.value == 'published'


def test_sizes_of_classification_are_not_set():
    with pytest.raises(UserError, match='image_size is for detection and segmentation'):
        settle(ready('classification'), {**GIVEN, 'image_size': 64}, 10)
