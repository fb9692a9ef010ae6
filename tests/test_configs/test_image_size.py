"""Images are brought to a network's size as published: by torchvision on Pillow's images, whose filters antialias."""

import random

import cv2
import numpy as np
import pytest
import torchvision.transforms.v2 as T
import torchvision.transforms.v2.functional as TF
from mmengine.config import Config
from mmengine.registry import TRANSFORMS, DefaultScope
from PIL import Image
from timm.data import create_transform

from lgd_mm.api.embedding import Pictures
from lgd_mm.exports.targets.huggingface import TESTED
from lgd_mm.report.images import PlainImages
from tests.configs import FOLDER, read_config

FILES = sorted(path.relative_to(FOLDER) for folder in ('classification', 'lgd', 'baselines', 'students')
               for path in (FOLDER / folder).glob('*.py'))
#: Neither reading nor packing.
STEPS = ('ResizeEdge', 'CenterCrop', 'RandomResizedCrop')


def photo(height, width):
    """Noise of a pixel's size, which aliases most."""
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


PHOTOS = [photo(*size) for size in ((375, 500), (500, 333), (1200, 900), (100, 90), (260, 2000))]


def steps(loader):
    """Those of a loader that change an image's size, built."""
    dataset = loader.dataset.get('datasets', [loader.dataset.get('dataset', loader.dataset)])[0]
    pipeline = dataset.pipeline
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return [TRANSFORMS.build(step) for step in pipeline if step.type.split('.')[-1] in STEPS]


def middle(image, size=224):
    """Of an image by torchvision, as it is published."""
    return np.asarray(T.CenterCrop(size)(T.Resize(size * 256 // 224)(Image.fromarray(image))))


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_images_that_are_tested(path):
    cfg = read_config(path)
    loaders = [cfg.get('val_dataloader'), cfg.get('test_dataloader')]
    if path.stem.startswith('knn_'):
        loaders.append(cfg.train_dataloader)
    for loader in filter(None, loaders):
        resize, crop = steps(loader)
        for image in PHOTOS:
            assert np.array_equal(crop(resize(dict(img=image)))['img'], middle(image))


@pytest.mark.parametrize('path', [path for path in FILES if path.stem.startswith(('linear_', 'finetune_'))],
                         ids=lambda path: path.stem)
def test_images_that_train_a_classifier(path):
    [crop] = steps(read_config(path).train_dataloader)
    for image in PHOTOS:
        random.seed(0)
        np.random.seed(0)
        top, left, *corner = crop.rand_crop_params(image)
        random.seed(0)
        np.random.seed(0)
        ours = crop(dict(img=image))['img']
        theirs = TF.resized_crop(Image.fromarray(image), top, left, *corner, [224, 224])
        assert np.array_equal(ours, np.asarray(theirs))


@pytest.mark.parametrize('size', [64, 96, 224])
def test_images_that_are_embedded(tmp_path, size):
    paths = [str(tmp_path / f'{index}.png') for index in range(len(PHOTOS))]
    for path, image in zip(paths, PHOTOS):
        Image.fromarray(image).save(path)
    for (_, ours), image in zip(map(Pictures(paths, size).__getitem__, range(len(paths))), PHOTOS):
        assert np.array_equal(ours.permute(1, 2, 0).numpy(), middle(image, size))


def test_images_of_a_student_in_timm():
    """What the Hugging Face target writes for timm makes the same of an image."""
    for size in (32, 64, 96, 100, 224, 225):
        transform = create_transform((3, size, size), **TESTED)
        resize, crop = transform.transforms[:2]
        assert np.array_equal(np.asarray(crop(resize(Image.fromarray(PHOTOS[0])))), middle(PHOTOS[0], size))


def test_images_of_a_report(tmp_path):
    cv2.imwrite(str(tmp_path / '0.png'), PHOTOS[0][..., ::-1])
    dataset = dict(type='lgd_mm.UnlabelledImages', data_root=str(tmp_path), pipeline=[
        dict(type='lgd_mm.LoadImage'), dict(type='lgd_mm.RandomView', size=64), dict(type='lgd_mm.PackView')])
    ours = PlainImages(Config(dict(train_dataloader=dict(dataset=dataset)))).image(0)
    theirs = T.CenterCrop(64)(T.Resize(64)(Image.fromarray(PHOTOS[0])))
    assert np.array_equal(np.asarray(ours), np.asarray(theirs))
