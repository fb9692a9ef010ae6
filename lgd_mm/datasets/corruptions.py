"""Corrupted images: the corruptions of ImageNet-C, computed on the fly, the same for an image in every run."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from lgd_mm.errors import UserError
from lgd_mm.registry import DATASETS, TRANSFORMS

#: The families of the 15 corruptions that are measured; the package's four others are for validation.
FAMILIES: Mapping[str, tuple[str, ...]] = {
    'noise': ('gaussian_noise', 'shot_noise', 'impulse_noise'),
    'blur': ('defocus_blur', 'glass_blur', 'motion_blur', 'zoom_blur'),
    'weather': ('snow', 'frost', 'fog', 'brightness'),
    'digital': ('contrast', 'elastic_transform', 'pixelate', 'jpeg_compression'),
}
CORRUPTIONS = tuple(name for family in FAMILIES.values() for name in family)
SEVERITIES = (1, 2, 3, 4, 5)
#: Height and width in pixels that the package takes.
SMALLEST = 32
#: Those that draw from a generator of their own, which takes a seed; the others draw from NumPy's global one.
_SEEDED = ('impulse_noise', 'glass_blur')


def corrupted(image: NDArray[Any], corruption: str, severity: int) -> NDArray[Any]:
    """Corrupt an image (ImageNet-C: Hendrycks and Dietterich 2019, `arXiv:1903.12261
    <https://arxiv.org/abs/1903.12261>`_) by the package ``imagecorruptions``, whose functions take any size
    (Michaelis et al. 2019, `arXiv:1907.07484 <https://arxiv.org/abs/1907.07484>`_).

    What a corruption draws is decided by the pixels, its name and the severity: the same in any order, worker, process
    and folder. NumPy's global random state is left as it was.

    Args:
        image (np.ndarray): (H, W, 3), RGB, uint8, at least 32 pixels high and wide.
        corruption (str): One of :data:`CORRUPTIONS`.
        severity (int): 1 to 5.

    Returns:
        np.ndarray: (H, W, 3), RGB, uint8.
    """
    from imagecorruptions import corrupt  # compiles, which takes a second
    digest = hashlib.sha256(f'{corruption} {severity} {image.shape}'.encode())
    digest.update(np.ascontiguousarray(image).data)
    seed = int.from_bytes(digest.digest()[:4], 'little')
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        result: NDArray[Any] = corrupt(image, severity, corruption, **({'seed': seed} if corruption in _SEEDED else {}))
    finally:
        np.random.set_state(state)
    return result


@TRANSFORMS.register_module()
class Corrupt(BaseTransform):
    """Corrupts the image as :class:`CorruptedImages` asks; where nobody asks, an image stays clean.

    Its place in the pipeline is that of the benchmark: for classification behind resizing and cropping, for the
    severities of ImageNet-C are those of 224 x 224 pixels, and for detection and segmentation behind the loading, as in
    Michaelis et al. Boxes and masks stay where they are.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Corrupt ``img`` (H, W, 3), BGR, uint8.

        Args:
            results (dict[str, Any]): Of the pipeline; ``corruption`` and ``severity`` say what is asked.

        Returns:
            dict[str, Any]: The same.

        Raises:
            UserError: If the image is too small, or not of bytes and three channels.
        """
        if results.get('corruption') is None:
            return results
        image, name = results['img'], results.get('img_path', 'an image')
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise UserError(f'{name} comes to lgd_mm.Corrupt as {image.dtype} of shape {image.shape}, and it takes '
                            'uint8 of three channels: put it before what normalises or turns grey')
        height, width = image.shape[:2]
        if min(height, width) < SMALLEST:
            raise UserError(f'{name} is {width} x {height} pixels, and corruptions take images of at least '
                            f'{SMALLEST} x {SMALLEST}: take it out of the data, or put lgd_mm.Corrupt behind what '
                            'enlarges it')
        rgb = corrupted(image[..., ::-1], results['corruption'], results['severity'])
        results['img'] = np.ascontiguousarray(rgb[..., ::-1])
        return results


@DATASETS.register_module()
class CorruptedImages:
    """A data set once as it is, and once for each corruption and severity.

    Its pipeline holds :class:`Corrupt`; each data sample says by ``corruption`` (None: clean) and ``severity`` what was
    done to it, which :class:`lgd_mm.metrics.CorruptionMetric` reads. Images of a corruption and severity follow each
    other, the clean ones come first.

    Args:
        dataset (dict): The clean data set, of mmengine's ``BaseDataset``, with a pipeline.
        corruptions (str | Sequence[str]): Names of :data:`CORRUPTIONS` or families of :data:`FAMILIES`. Defaults to all
            15.
        severities (Sequence[int]): Of 1 to 5. Defaults to all.
        lazy_init (bool): Whether the clean data set is read later, as mmdet has it for the sake of ``metainfo``.
            Defaults to False.

    Raises:
        UserError: If there is no such corruption or severity, one is named twice, or the pipeline does not corrupt.
    """

    def __init__(self, dataset: Mapping[str, Any], corruptions: str | Sequence[str] = CORRUPTIONS,
                 severities: Sequence[int] = SEVERITIES, lazy_init: bool = False) -> None:
        self.dataset = DATASETS.build({**dataset, 'lazy_init': True} if lazy_init else dataset)
        steps = getattr(getattr(self.dataset, 'pipeline', None), 'transforms', ())
        if not any(isinstance(step, Corrupt) for step in steps):
            raise UserError("lgd_mm.CorruptedImages.dataset has no dict(type='lgd_mm.Corrupt') in its pipeline: all "
                            'images would be clean')
        names = _names([corruptions] if isinstance(corruptions, str) else corruptions)
        self.parts: list[tuple[str | None, int]] = [
            (None, 0), *((name, severity) for name in names for severity in _severities(severities))]

    @property
    def metainfo(self) -> dict[str, Any]:
        """Of the clean data set."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Of the clean data set, as mmengine asks for it."""
        self.dataset.full_init()

    def __len__(self) -> int:
        return len(self.parts) * len(self.dataset)

    def get_data_info(self, index: int) -> dict[str, Any]:
        """What is known of an image, and what is to be done to it."""
        (corruption, severity), image = self.parts[index // len(self.dataset)], index % len(self.dataset)
        return {**self.dataset.get_data_info(image), 'corruption': corruption, 'severity': severity}

    def __getitem__(self, index: int) -> dict[str, Any]:
        info = self.get_data_info(index)
        about = {key: info[key] for key in ('corruption', 'severity')}
        packed: dict[str, Any] = self.dataset.pipeline(info)
        packed['data_samples'].set_metainfo(about)
        return packed


def _names(given: Sequence[str]) -> list[str]:
    names = [name for each in given for name in FAMILIES.get(each, (each, ))]
    for name in names:
        if name not in CORRUPTIONS:
            raise UserError(f'lgd_mm.CorruptedImages.corruptions names {name!r}; there are: {", ".join(CORRUPTIONS)}, '
                            f'and the families {", ".join(FAMILIES)}')
    if not names or len(set(names)) < len(names):
        raise UserError(f'lgd_mm.CorruptedImages.corruptions={list(given)} must name at least one, and each once')
    return names


def _severities(given: Sequence[int]) -> list[int]:
    listed: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]
    if not listed or len(set(listed)) < len(listed) or not all(
            type(severity) is int and severity in SEVERITIES for severity in listed):
        raise UserError(f'lgd_mm.CorruptedImages.severities={given!r}: give some of 1, 2, 3, 4 and 5, each once')
    return listed
