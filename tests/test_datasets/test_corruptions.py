"""Corrupted images are those of the published package, and the same in every run."""

import warnings

import cv2
import imagecorruptions
import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from lgd_mm.datasets.corruptions import CORRUPTIONS, FAMILIES, SEVERITIES, Corrupt, corrupted
from lgd_mm.errors import UserError
from lgd_mm.registry import DATASETS
from tests.configs import read_config


def image(height=48, width=40, seed=0):
    """Smooth colours, RGB."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height))


def test_names_and_order_are_the_packages():
    assert list(CORRUPTIONS) == imagecorruptions.get_corruption_names('common')
    assert all(list(names) == imagecorruptions.get_corruption_names(family) for family, names in FAMILIES.items())


@pytest.mark.parametrize('size', [(32, 32), (33, 57), (96, 64)], ids=str)
def test_all_run(size, capsys):
    """With the installed numpy, scipy and scikit-image: no warning, nothing printed, other pixels of the same shape."""
    clean = image(*size)
    before = clean.copy()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        results = {(name, severity): corrupted(clean, name, severity)
                   for name in CORRUPTIONS for severity in SEVERITIES}
    assert {(each.shape, each.dtype) for each in results.values()} == {(clean.shape, np.dtype(np.uint8))}
    assert all((each != clean).any() for each in results.values()) and np.array_equal(clean, before)
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('constant', [0, 255])
def test_images_of_one_colour(constant):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for name in CORRUPTIONS:
            assert corrupted(np.full((32, 40, 3), constant, np.uint8), name, 5).shape == (32, 40, 3)


@pytest.mark.parametrize('name', ['gaussian_noise', 'shot_noise', 'impulse_noise', 'contrast', 'pixelate', 'zoom_blur'])
def test_severities_are_ordered(name):
    distances = [float(np.square(corrupted(image(), name, severity) - image().astype(float)).mean())
                 for severity in SEVERITIES]
    assert distances == sorted(distances)


def test_contrast_by_hand():
    clean = image() / 255
    mean = clean.mean(axis=(0, 1))
    assert np.array_equal(corrupted(image(), 'contrast', 2), np.uint8(((clean - mean) * 0.3 + mean).clip(0, 1) * 255))


def test_noise_has_the_published_scale():
    grey = np.full((256, 256, 3), 128, np.uint8)
    assert np.std(corrupted(grey, 'gaussian_noise', 1) / 255) == pytest.approx(0.08, rel=0.01)
    changed = (corrupted(grey, 'impulse_noise', 5) != 128).mean()
    assert changed == pytest.approx(0.27, abs=0.01)


@pytest.mark.parametrize('name', CORRUPTIONS)
def test_pixels_decide(name):
    """Not the order, nor what was drawn before; and nothing else is drawn otherwise."""
    first = corrupted(image(), name, 3)
    corrupted(image(seed=1), name, 2)
    np.random.seed(7)
    again = corrupted(image(), name, 3)
    assert np.array_equal(first, again)
    drawn = np.random.rand()
    np.random.seed(7)
    assert drawn == np.random.rand()


def test_every_image_and_severity_has_noise_of_its_own():
    def noise(grey, severity):
        return corrupted(np.full((32, 32, 3), grey, np.uint8), 'gaussian_noise', severity) - float(grey)
    one, other, stronger = noise(100, 1).ravel(), noise(101, 1).ravel(), noise(100, 2).ravel()
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1 and abs(np.corrcoef(one, stronger)[0, 1]) < 0.1


def test_colours_are_those_of_rgb():
    """Frost is blue on any loader's order of channels."""
    bgr = np.ascontiguousarray(image()[..., ::-1])
    results = Corrupt()(dict(img=bgr, corruption='frost', severity=3))
    assert np.array_equal(results['img'][..., ::-1], corrupted(image(), 'frost', 3))
    assert results['img'].flags.c_contiguous


def test_clean_where_nobody_asks():
    """As an inferencer does, which takes the pipeline of a test."""
    assert np.array_equal(Corrupt()(dict(img=image()))['img'], image())


@pytest.mark.parametrize(('given', 'sentence'), [
    (image(31, 80), r'a\.png is 80 x 31 pixels, and corruptions take images of at least 32 x 32: take it out'),
    (image().astype(np.float32), r'a\.png comes to lgd_mm\.Corrupt as float32 .* put it before what normalises'),
    (image()[..., 0], r'a\.png comes to lgd_mm\.Corrupt as uint8 of shape \(48, 40\)'),
], ids=['small', 'float', 'grey'])
def test_images_it_does_not_take(given, sentence):
    with pytest.raises(UserError, match=sentence):
        Corrupt()(dict(img=given, img_path='a.png', corruption='fog', severity=1))


@pytest.fixture
def folder(tmp_path):
    for name in ('cat', 'dog'):
        (tmp_path / name).mkdir()
        for index in range(2):
            cv2.imwrite(str(tmp_path / name / f'{index}.png'), image(seed=index + 2 * (name == 'dog'))[..., ::-1])
    return tmp_path


def wrapped(folder, steps=('LoadImageFromFile', 'lgd_mm.Corrupt', 'PackInputs'), metainfo=None, **kwargs):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        clean = dict(type='CustomDataset', data_root=str(folder), metainfo=metainfo,
                     pipeline=[dict(type=step) for step in steps])
        return DATASETS.build(dict(type='lgd_mm.CorruptedImages', dataset=clean, **kwargs))


def test_a_data_set_once_for_each_part(folder):
    dataset = wrapped(folder, corruptions=['fog', 'noise'], severities=[2, 5])
    assert len(dataset) == 4 * (1 + 4 * 2) and dataset.metainfo['classes'] == ('cat', 'dog')
    samples = [dataset[index] for index in range(len(dataset))]
    about = [(each['data_samples'].corruption, each['data_samples'].severity) for each in samples]
    assert about[:4] == [(None, 0)] * 4 and about[4:9] == [('fog', 2)] * 4 + [('fog', 5)]
    assert {name for name, _ in about} == {None, 'fog', *FAMILIES['noise']}
    assert [int(each['data_samples'].gt_label) for each in samples] == [0, 0, 1, 1] * 9
    rgb = image(seed=2)  # the third image, of which the 7th sample is fog at 2
    assert np.array_equal(samples[6]['inputs'].permute(1, 2, 0).numpy()[..., ::-1], corrupted(rgb, 'fog', 2))
    assert np.array_equal(samples[2]['inputs'].permute(1, 2, 0).numpy()[..., ::-1], rgb)


def test_what_it_is_of_is_known_before_it_is_read(folder):
    """mmdet's inferencer builds it so, for the names and colours of the classes."""
    lazy = wrapped(folder, metainfo=dict(classes=('cat', 'dog')), lazy_init=True)
    assert lazy.metainfo['classes'] == ('cat', 'dog') and not lazy.dataset._fully_initialized


def test_workers_change_nothing(folder):
    dataset = wrapped(folder, corruptions='blur', severities=[3])
    alone, shared = ([image for batch in DataLoader(dataset, 3, num_workers=workers, collate_fn=pseudo_collate)
                      for image in batch['inputs']] for workers in (0, 2))
    assert len(alone) == 20 and all(one.equal(other) for one, other in zip(alone, shared, strict=True))


@pytest.mark.parametrize(('kwargs', 'sentence'), [
    (dict(corruptions='rain'), "corruptions names 'rain'; there are: gaussian_noise, .* and the families noise, blur"),
    (dict(corruptions=['fog', 'weather']), 'must name at least one, and each once'),
    (dict(corruptions=[]), 'must name at least one'),
    (dict(severities=[0]), r'severities=\[0\]: give some of 1, 2, 3, 4 and 5'),
    (dict(severities=[1, 1]), 'each once'),
    (dict(severities=[]), 'give some of 1, 2'),
    (dict(severities=True), 'severities=True: give some'),
    (dict(steps=('LoadImageFromFile', 'PackInputs')), 'in its pipeline: all images would be clean'),
])
def test_mistakes(folder, kwargs, sentence):
    with pytest.raises(UserError, match=sentence):
        wrapped(folder, **kwargs)


@pytest.mark.real_data
@pytest.mark.parametrize('name', ['coco/faster-rcnn_r18_fpn_1x_coco-corrupted', 'ade20k/upernet_r18_80k_ade20k-512x512-'
                                  'corrupted'])
def test_real_images(data_dir, name):
    """As a config reads them: other pixels in each part, and the same boxes and masks."""
    cfg = read_config(f'{name}.py')
    root = data_dir / ('coco' if name.startswith('coco') else 'ade/ADEChallengeData2016')
    inner = cfg.test_dataloader.dataset.dataset
    inner.data_root, inner.indices = str(root), 1
    cfg.test_dataloader.dataset.severities = [5]
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        clean, *others = [dataset[index] for index in range(len(dataset))]
    assert len(others) == 15 and len({bytes(each['inputs'].numpy()) for each in (clean, *others)}) == 16
    for each in others:
        one, other = (sample['data_samples'] for sample in (clean, each))
        assert each['inputs'].shape == clean['inputs'].shape and one.img_shape == other.img_shape
        if 'gt_sem_seg' in one:
            assert one.gt_sem_seg.data.equal(other.gt_sem_seg.data)
        else:
            assert one.gt_instances.bboxes.tensor.equal(other.gt_instances.bboxes.tensor)
