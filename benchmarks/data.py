"""Views per second of one core: Pillow, the package's own, colour work left to the device, and a copy resized before.

All crop by the same antialiasing filter (the crops are Pillow's to a rounding). Pillow's form normalises as well, as it
is published; the package leaves that to the device in every form and ships bytes.

LGD_DATA_DIR names real images (``coco/**/*.jpg`` below it); without it, made-up JPEGs of 640 x 480 are read. The
larger an image is, the more of the time goes into decoding, which no form can avoid: two sizes are compared.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import torch
from harness import Case, main
from naive import view_by_pillow

from lgd_mm.datasets import LoadImage, PackView, RandomView
from lgd_mm.preparation.resize.image import resize_image


def images() -> list[Path]:
    """The images to read."""
    root = os.environ.get('LGD_DATA_DIR')
    if root:
        return sorted((Path(root) / 'coco').rglob('*.jpg'))[:64]
    folder, rng = Path(tempfile.mkdtemp()), np.random.default_rng(0)
    for index in range(16):
        noise = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
        cv2.imwrite(f'{folder}/{index}.jpg', cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC))
    return sorted(folder.iterdir())


def pipeline(paths: Iterator[Path], colour: bool) -> Callable[[], dict]:
    """The package's own, on the next image."""
    load, view, pack = LoadImage(), RandomView(224, colour=colour), PackView()
    return lambda: pack.transform(view.transform(load.transform(dict(img_path=str(next(paths)), sample_idx=0))))


def resized(paths: list[Path], size: int) -> list[Path]:
    """Copies with a shorter edge of that many pixels, at most."""
    folder = Path(tempfile.mkdtemp())
    for path in paths:
        (folder / path.name).write_bytes(resize_image(path.read_bytes(), size, 95))
    return sorted(folder.iterdir())


def case(name: str, paths: list[Path]) -> Case:
    """Those images in turn, the same for every form."""
    def all_of(view: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in paths:
                view()
        return run

    pillow = cycle(paths)
    return Case(f'{len(paths)} {name}, one core', {
        'Pillow': all_of(lambda: view_by_pillow(next(pillow))),
        'OpenCV and PyTorch': all_of(pipeline(cycle(paths), colour=True)),
        'colour on the device': all_of(pipeline(cycle(paths), colour=False)),
        'the same, resized copy': all_of(pipeline(cycle(resized(paths, 256)), colour=False)),
    }, baseline='Pillow')


def cases(quick: bool) -> list[Case]:
    """Images as they are, and of ImageNet's usual size."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    paths = images()[:16 if quick else 64]
    return [case('images as they are', paths), case('images of 375 px', resized(paths, 375))]


if __name__ == '__main__':
    main(cases, __doc__ or '')
