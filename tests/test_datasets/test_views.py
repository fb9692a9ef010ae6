"""Views: drawn by torchvision's laws, applied alike by OpenCV, by the device and by torchvision."""

import cv2
import numpy as np
import pytest
import torch
import torchvision.transforms.v2 as T
import torchvision.transforms.v2.functional as TF
from PIL import Image

from lgd_mm.datasets import PackView, RandomView
from lgd_mm.datasets.views import opencv
from lgd_mm.datasets.views.recipe import Recipe
from lgd_mm.datasets.views.view import ORDERS, View
from lgd_mm.models.view_preprocessor import ViewPreprocessor, coloured

DRAWS = 2000
PLAIN = View(0, 0, 40, 60, 0, 1, 1, 1, 0, 0, 0, 0)


def picture(height=40, width=60, seed=0):
    """A smooth, colourful image, RGB."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def as_tensor(image):
    return torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255


def by_opencv(image, view):
    return as_tensor(opencv.colour(image[..., ::-1].copy(), view)[..., ::-1])


def by_device(image, view):
    return coloured(as_tensor(image)[None], view.numbers()[None])[0]


@pytest.mark.parametrize('apply, tolerance', [(by_opencv, 0.004), (by_device, 0.002)])
@pytest.mark.parametrize('change, expected', [
    (dict(brightness=1.35), lambda image: TF.adjust_brightness(image, 1.35)),
    (dict(brightness=0.65), lambda image: TF.adjust_brightness(image, 0.65)),
    (dict(contrast=1.3), lambda image: TF.adjust_contrast(image, 1.3)),
    (dict(contrast=0.7), lambda image: TF.adjust_contrast(image, 0.7)),
    (dict(saturation=1.4), lambda image: TF.adjust_saturation(image, 1.4)),
    (dict(saturation=0.6), lambda image: TF.adjust_saturation(image, 0.6)),
    (dict(hue=0.09), lambda image: TF.adjust_hue(image, 0.09)),
    (dict(hue=-0.1), lambda image: TF.adjust_hue(image, -0.1)),
    (dict(grey=1), lambda image: TF.rgb_to_grayscale(image, 3)),
], ids=lambda value: str(value) if isinstance(value, dict) else '')
def test_operations_are_torchvisions(apply, tolerance, change, expected):
    image = picture()
    result = apply(image, PLAIN._replace(**change))
    assert (result - expected(as_tensor(image))).abs().mean() < tolerance
    assert (result - as_tensor(image)).abs().mean() > 0.02, 'it must do something'


@pytest.mark.parametrize('apply', [by_opencv, by_device])
@pytest.mark.parametrize('sigma', [0.4, 1.1, 2.0])
def test_blur_is_torchvisions_inside(apply, sigma):
    image = picture()
    expected = TF.gaussian_blur(as_tensor(image), [13, 13], [sigma, sigma])
    inside = np.s_[:, 7:-7, 7:-7]  # borders: Pillow and we repeat the last pixel, torchvision reflects
    assert (apply(image, PLAIN._replace(sigma=sigma)) - expected)[inside].abs().max() < 0.006


@pytest.mark.parametrize('order', range(24))
def test_both_ways_follow_the_order(order):
    view = PLAIN._replace(brightness=1.3, contrast=0.7, saturation=1.4, hue=0.08, order=order)
    expected = as_tensor(picture())
    functions = TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation, TF.adjust_hue
    for operation in ORDERS[order]:
        expected = functions[operation](expected, view[5 + operation])
    assert (by_device(picture(), view) - expected).abs().mean() < 0.002
    assert (by_opencv(picture(), view) - expected).abs().mean() < 0.008


def test_a_batch_is_coloured_image_by_image():
    np.random.seed(0)
    views = [Recipe().draw(40, 60) for _ in range(16)]
    images = torch.stack([as_tensor(picture(seed=seed)) for seed in range(16)])
    views[0] = views[0]._replace(sigma=0.82)  # of a reach of 2 pixels, beside one of 6
    views[1] = views[1]._replace(sigma=2.0)
    together = coloured(images.clone(), np.stack([view.numbers() for view in views]))
    for image, view, result in zip(images, views, together):
        torch.testing.assert_close(coloured(image[None], view.numbers()[None])[0], result, atol=1e-6, rtol=0)


def test_crops_follow_torchvisions_law():
    np.random.seed(0)
    torch.manual_seed(0)
    image = torch.zeros(3, 120, 200)
    ours = np.array([Recipe().draw(120, 200)[:4] for _ in range(DRAWS)])
    crop = T.RandomResizedCrop(224, scale=(0.2, 1))
    theirs = np.array([[value for key, value in crop.make_params([image]).items()] for _ in range(DRAWS)], float)
    same_statistics(ours, theirs)
    area = [np.sort(rows[:, 2] * rows[:, 3]) for rows in (ours, theirs)]
    assert np.abs(area[0] - area[1]).max() < 0.06 * 120 * 200  # the whole distribution, quantile by quantile


def same_statistics(ours, theirs):
    """Means within four of their standard errors, and spreads within ten per cent."""
    error = np.sqrt(ours.var(0) / len(ours) + theirs.var(0) / len(theirs))
    assert (np.abs(ours.mean(0) - theirs.mean(0)) < 4 * error + 1e-6).all()
    assert (np.abs(ours.std(0) / theirs.std(0) - 1) < 0.1).all()


@pytest.mark.parametrize('recipe, theirs', [
    pytest.param(dict(jitter=(0.4, 0, 0, 0), jitter_prob=1), T.ColorJitter(brightness=0.4), marks=pytest.mark.slow),
    pytest.param(dict(jitter=(0, 0.4, 0, 0), jitter_prob=1), T.ColorJitter(contrast=0.4), marks=pytest.mark.slow),
    pytest.param(dict(jitter=(0, 0, 0.4, 0), jitter_prob=1), T.ColorJitter(saturation=0.4), marks=pytest.mark.slow),
    pytest.param(dict(jitter=(0, 0, 0, 0.1), jitter_prob=1), T.ColorJitter(hue=0.1), marks=pytest.mark.slow),
    (dict(), T.RandomApply([T.ColorJitter(0.4, 0.4, 0.4, 0.1)], 0.8)),
    (dict(jitter_prob=0, grey_prob=0.2), T.RandomGrayscale(0.2)),
    (dict(jitter_prob=0, grey_prob=0, blur_prob=0.5), T.RandomApply([T.GaussianBlur(13, (0.1, 2.0))], 0.5)),
], ids=['brightness', 'contrast', 'saturation', 'hue', 'jitter', 'grey', 'blur'])
def test_images_are_distributed_as_torchvisions(recipe, theirs):
    np.random.seed(1)
    torch.manual_seed(1)
    image = picture(34, 34)
    recipe = Recipe(**{**dict(grey_prob=0, blur_prob=0), **recipe})
    views = np.stack([recipe.draw(34, 34).numbers() for _ in range(DRAWS)])
    ours = coloured(as_tensor(image).repeat(DRAWS, 1, 1, 1), views)
    others = torch.stack([theirs(as_tensor(image)) for _ in range(DRAWS)])
    same_statistics(*(statistics(images) for images in (ours, others)))


def statistics(images):
    """Means of the channels, and how much neighbours differ, inside each image (blurs differ at borders)."""
    images = images[..., 7:-7, 7:-7]
    rough = (images[..., 1:] - images[..., :-1]).abs().mean(dim=(1, 2, 3))
    return torch.cat([images.mean(dim=(2, 3)), rough[:, None]], dim=1).numpy()


def test_shares_of_the_recipe():
    np.random.seed(2)
    views = np.stack([Recipe().draw(50, 50).numbers() for _ in range(DRAWS)])
    column = dict(zip(View._fields, views.T))
    for name, idle, share in (('brightness', 1, 0.8), ('grey', 0, 0.2), ('sigma', 0, 0.5), ('flip', 0, 0.5)):
        assert abs((column[name] != idle).mean() - share) < 4 * np.sqrt(share * (1 - share) / DRAWS)
    assert set(column['order']) == set(range(24))
    jittered = column['hue'][column['hue'] != 0]
    assert -0.1 <= jittered.min() < -0.09 and 0.09 < jittered.max() <= 0.1


def textured(height, width, seed=0):
    """An image with as much detail as a photograph has: noise whose amplitude falls with its frequency, RGB."""
    rng, sides = np.random.default_rng(seed), (np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    frequency = np.maximum(np.hypot(*sides), 1 / max(height, width))[..., None]
    image = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((height, width, 3)), axes=(0, 1)) / frequency,
                          (height, width), axes=(0, 1))
    return np.clip(128 + 50 * image / image.std(), 0, 255).astype(np.uint8)


def by_pillow(image, box, size):
    """As ``torchvision.transforms.RandomResizedCrop`` does of Pillow's images."""
    top, left, height, width = box
    return np.asarray(TF.resized_crop(Image.fromarray(image), top, left, height, width, [size, size]))


def detail(image):
    return np.abs(np.diff(image.astype(float), axis=0)).mean() + np.abs(np.diff(image.astype(float), axis=1)).mean()


@pytest.mark.parametrize('scale', [0.5, 0.8, 1, 1.01, 1.25, 1.5, 1.67, 1.9, 2, 2.5, 3, 4, 7.3])
def test_crops_are_pillows_at_every_scale(scale):
    image, side = textured(500, 520), round(64 * scale)
    for height, width in ((side, side), (side, round(side * 4 / 3) % 500), (round(side / 1.33), side), (side, 48)):
        box = (500 - height) // 2, (520 - width) // 3, height, width
        ours = opencv.crop(image, View(*box, *PLAIN[4:]), 64)
        theirs = by_pillow(image, box, 64)
        assert np.abs(ours.astype(int) - theirs).max() <= 1, 'of 255, by the rounding of weights'
        assert np.square(ours.astype(float) - theirs).mean() < 0.3**2
        assert abs(detail(ours) / detail(theirs) - 1) < 0.005
        assert np.array_equal(opencv.crop(image, View(*box, 1, *PLAIN[5:]), 64), ours[:, ::-1])


@pytest.mark.parametrize('height, width', [(1, 1), (1, 300), (300, 1), (2, 3), (3, 5000), (5000, 3), (1, 70000)])
@pytest.mark.parametrize('size', [1, 16, 224])
def test_crops_of_odd_images_are_pillows(height, width, size):
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    ours = opencv.crop(image, View(0, 0, height, width, *PLAIN[4:]), size)
    assert np.abs(ours.astype(int) - by_pillow(image, (0, 0, height, width), size)).max() <= 1


def test_a_crop_looks_at_nothing_outside_it():
    image = textured(90, 90)
    inside = image[20:70, 10:80].copy()
    assert np.array_equal(opencv.crop(image, View(20, 10, 50, 70, *PLAIN[4:]), 32),
                          opencv.crop(inside, View(0, 0, 50, 70, *PLAIN[4:]), 32))


def test_a_crop_takes_what_a_image_lies_in():
    """A mirrored or turned array has strides of its own, and one from a file may be read-only."""
    image, view = textured(90, 70), View(0, 0, 90, 70, *PLAIN[4:])
    expected, frozen = opencv.crop(image, view, 32), image.copy()
    frozen.flags.writeable = False
    for form in (image[::-1].copy()[::-1], image[..., ::-1].copy()[..., ::-1], np.asfortranarray(image), frozen):
        assert np.array_equal(opencv.crop(form, view, 32), expected)


def test_a_image_too_long_for_a_crop():
    np.random.seed(0)
    for height, width in ((4, 400), (400, 4), (1, 1)):
        top, left, h, w = Recipe(scale=(0.9, 1)).draw(height, width)[:4]
        assert 0 <= top <= height - h and 0 <= left <= width - w and h and w


def test_device_and_cpu_make_the_same_input():
    np.random.seed(3)
    results = dict(img=picture(100, 140)[..., ::-1].copy(), sample_idx=7)
    drawn = RandomView(32).transform(results)
    packed = [PackView().transform(RandomView(32, colour=colour).transform({**results, 'view': drawn['view']}))
              for colour in (False, True)]
    assert packed[0]['inputs'].dtype == torch.uint8 and packed[0]['picture'] == 7
    preprocessor = ViewPreprocessor(mean=[0, 0, 0], std=[255, 255, 255], to_rgb=True)
    batches = [torch.utils.data.default_collate([one, one]) for one in packed]
    inputs = [preprocessor(batch)['inputs'] for batch in batches]
    assert inputs[0].shape == (2, 3, 32, 32) and (inputs[0] - inputs[1]).abs().mean() < 0.01


def test_autocast_leaves_colours_alone():
    """mmengine preprocesses a batch under the autocast of its step."""
    view = torch.from_numpy(PLAIN._replace(brightness=1.3, hue=0.05, sigma=1.5).numbers())[None]
    batch = dict(inputs=torch.from_numpy(picture()).permute(2, 0, 1)[None], view=view, coloured=torch.tensor([False]))
    preprocessor = ViewPreprocessor(mean=[0, 0, 0], std=[255, 255, 255], to_rgb=True)
    with torch.autocast('cpu', torch.bfloat16):
        inputs = preprocessor(dict(batch))['inputs']
    assert torch.equal(inputs, preprocessor(batch)['inputs'])
