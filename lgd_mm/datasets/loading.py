"""Reading an image, or saying clearly that it cannot be read."""

import errno
import zlib
from typing import Any

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine import fileio
from numpy.typing import NDArray
from PIL import ImageOps

from lgd_mm.errors import UserError
from lgd_mm.io.images import check_image, open_image
from lgd_mm.registry import TRANSFORMS
from lgd_mm.storage import backend as backend  # mmengine.fileio learns of object stores

#: What a failing disk or network share says.
FAILING = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT)
#: Troubles of the machine, not of the file: those, too many open files, no memory.
OUT_OF_ORDER = (*FAILING, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class UnreadableImage(Exception):
    """A file that is no whole image; the message names it and the reason."""


class ChangedImage(UnreadableImage):
    """A file that is another one than an index says."""


def of_the_machine(error: Exception) -> bool:
    """Whether an error met while reading a file says nothing of the file."""
    return isinstance(error, MemoryError | UserError) or getattr(error, 'errno', None) in OUT_OF_ORDER


def decode(content: bytes) -> NDArray[Any]:
    """Decode an image of any format, turned upright.

    OpenCV decodes whole JPEG files; it would fill a truncated one with grey, so what lacks the end marker is left, like
    every other format, to Pillow, which refuses it.

    Args:
        content (bytes): Of the file.

    Returns:
        np.ndarray: (H, W, 3), BGR, uint8.

    Raises:
        Exception: Whatever a broken file makes Pillow's decoders stumble over, or
            :func:`lgd_mm.io.images.check_image`
            refuses.
    """
    if content.startswith(b'\xff\xd8\xff') and content.endswith(b'\xff\xd9'):
        check_image(content)
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        if image is not None:
            return image
    with open_image(content) as opened:
        if opened.mode.startswith('I;16'):  # Pillow would make white of all above 255
            grey = (np.asarray(ImageOps.exif_transpose(opened)) >> 8).astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=2)
    return mmcv.imfrombytes(content, backend='pillow')


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Reads an image with :func:`decode`.

    Args:
        backend_args (dict, optional): Where files lie, see :func:`mmengine.fileio.get`. Defaults to None: this machine.

    Raises:
        UnreadableImage: If the file cannot be opened or decoded.
        ChangedImage: If its CRC-32 is not ``content`` of ``results``.
    """

    def __init__(self, backend_args: dict[str, Any] | None = None) -> None:
        self.backend_args = backend_args

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``img`` (H, W, 3), BGR, uint8, and its shapes to ``results``."""
        if 'img' in results and 'img_path' not in results:
            return results  # mmpretrain's inferencer has loaded it
        try:
            content = fileio.get(results['img_path'], backend_args=self.backend_args)
            if results.get('content') not in (None, zlib.crc32(content)):
                raise ChangedImage(f'{results["img_path"]}: its bytes are not those that were indexed: it was damaged '
                                   'or changed since')
            image = decode(content)
        except Exception as error:
            if of_the_machine(error) or isinstance(error, ChangedImage):
                raise
            reason = str(error).partition(' <')[0]  # Pillow names the bytes by their address
            raise UnreadableImage(f'{results["img_path"]}: {type(error).__name__}: {reason}') from error
        return {**results, 'img': image, 'img_shape': image.shape[:2], 'ori_shape': image.shape[:2]}
