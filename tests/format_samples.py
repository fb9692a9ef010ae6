"""Real exports of other tools: the same six images in each format, whose labels are known.

datumaro 1.13 wrote coco, captions, yolo, darknet, voc, cvat, voc_masks and camvid; supervision 0.31 yolo_seg and
voc_flat; LabelMe 6.3 labelme. Supervisely's is written after its documentation.
"""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).with_name('format_samples')
CLASSES = ('nut', 'bolt', 'washer')
WIDTH, HEIGHT = 64, 48
#: Part, boxes (class, x, y, width, height) and polygons (class, points) of each image.
IMAGES = {
    'a': ('train', [(0, 4, 6, 20, 14)], [(1, [30, 8, 54, 10, 50, 30, 32, 28])]),
    'b ü': ('train', [(2, 10, 10, 30, 30), (0, 40, 4, 16, 12)], []),
    'c': ('train', [], [(1, [5, 5, 25, 5, 25, 25, 5, 25]), (2, [30.5, 20, 60, 20, 45, 44.5])]),
    'empty': ('train', [], []),
    'd': ('val', [(0, 2, 2, 12, 12)], [(2, [20, 20, 40, 22, 38, 40])]),
    'e': ('val', [(1, 30, 10, 20, 20)], []),
}
#: Where each format has the image of a name.
PLACES = dict(
    coco='images/{split}/{name}.jpg', captions='images/{split}/{name}.jpg', yolo='images/{split}/{name}.jpg',
    yolo_seg='{split}/images/{name}.jpg', darknet='obj_{split}_data/{name}.jpg', voc='JPEGImages/{name}.jpg',
    voc_flat='{split}/{name}.jpg', cvat='images/{name}.jpg', labelme='{split}/{name}.jpg',
    supervisely='{split}/img/{name}.jpg', voc_masks='JPEGImages/{name}.jpg', camvid='{split}/{name}.jpg')


def sample(form: str, root: Path) -> Path:
    """The annotations of a format with images of the names that they have."""
    shutil.copytree(FOLDER / form, root)
    for index, (name, (split, _, _)) in enumerate(IMAGES.items()):
        path = root / PLACES[form].format(split=split, name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(index).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    return root


def boxes(name: str) -> list[tuple[int, float, float, float, float]]:
    """All objects of an image, as boxes."""
    _, found, polygons = IMAGES[name]
    return found + [(label, min(points[::2]), min(points[1::2]), max(points[::2]) - min(points[::2]),
                     max(points[1::2]) - min(points[1::2])) for label, points in polygons]
