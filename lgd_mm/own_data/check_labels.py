"""A segmentation mask that does not fit is named, not met as an assertion of the device or read as another one."""

from collections.abc import Callable
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine import fileio

from lgd_mm.datasets.image_size import UPRIGHT
from lgd_mm.datasets.mask_file import IGNORED, broken, labels_in, mask_header
from lgd_mm.errors import DataError


class CheckLabels(BaseTransform):
    """Loads a mask as a config's transform does, and compares it with its image and with the number of classes.

    Args:
        load (Callable): mmseg's ``LoadAnnotations``, which takes every label modulo 256.
        num_classes (int): Labels are 0 to this less one, or 255.

    Raises:
        UserError: If the mask cannot be decoded, has another size than its image, colours, or a label that is no
            class; names the mask.
    """

    def __init__(self, load: Callable[[dict[str, Any]], dict[str, Any]], num_classes: int) -> None:
        self.load = load
        self.num_classes = num_classes

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``gt_seg_map`` (H, W), uint8."""
        path = results['seg_map_path']
        content = fileio.get(path, backend_args=getattr(self.load, 'backend_args', None))
        width, height, wide = mask_header(path, content)
        if 'ori_shape' in results and (height, width) != tuple(results['ori_shape'][:2]):
            raise DataError(of_another_size(path, (width, height), results['ori_shape'][1::-1], results['img_path']))
        shift = 1 if results.get('reduce_zero_label') else 0  # the file counts from 1
        if wide:
            beyond = [label for label in labels_in(path, content) if not 0 <= label <= IGNORED]
            if beyond:
                raise DataError(no_class(path, min(beyond), self.num_classes, shift))
        try:
            results = self.load(results)
        except (OSError, SyntaxError, ValueError) as error:
            raise broken(path, error) from error
        labels = results['gt_seg_map']
        if labels.ndim != 2:
            raise DataError(f'{path} is an image of colours: a mask holds the number of a class in each pixel')
        wrong = labels[(labels >= self.num_classes) & (labels != IGNORED)]
        if wrong.size:
            raise DataError(no_class(path, int(np.min(wrong)) + shift, self.num_classes, shift))
        return results


def no_class(path: str, label: int, num_classes: int, shift: int = 0) -> str:
    """The sentence about a label that is no class.

    Args:
        path (str): Of the mask.
        label (int): As the file has it.
        num_classes (int): Number of classes.
        shift (int): Label of the first class in the file. Defaults to 0.

    Returns:
        str: It names the mask, the label, those there are, and the cure.
    """
    return (f'{path} has the label {label}, but there are {num_classes} classes, labels {shift} to '
            f'{num_classes - 1 + shift} (255 is ignored): label {label} is no class; correct the mask, or set '
            'num_classes and the names of the classes')


def of_another_size(mask: str, size: tuple[int, int], image_size: tuple[int, int], image: str) -> str:
    """The sentence about a mask that does not lie on its image.

    Args:
        mask (str): Its path.
        size (tuple[int, int]): Its width and height.
        image_size (tuple[int, int]): Those of the image as it is read.
        image (str): Its path.

    Returns:
        str: It names both, and the cure.
    """
    cure = 'make them of one size'
    if size == tuple(image_size)[::-1]:
        cure = f'if EXIF turns the image, the masks lie as it is shown or as it is stored: {UPRIGHT}'
    return (f'mask {mask} is {size[0]} x {size[1]}, and its image {image} is {image_size[0]} x {image_size[1]} '
            f'as read: {cure}')
