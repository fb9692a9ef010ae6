"""Reading a picture, or saying clearly that it cannot be read."""

import errno

from mmcv.transforms import LoadImageFromFile

from lgd_mm.errors import UserError
from lgd_mm.registry import TRANSFORMS

#: Troubles of the machine, not of the file: too many open files, no memory, a failing disk or network share.
OUT_OF_ORDER = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE, errno.ETIMEDOUT)


class UnreadableImage(Exception):
    """A file that is no whole picture; the message names it and the reason."""


def of_the_machine(error: Exception) -> bool:
    """Whether an error met while reading a file says nothing of the file."""
    return isinstance(error, MemoryError | UserError) or getattr(error, 'errno', None) in OUT_OF_ORDER


@TRANSFORMS.register_module()
class LoadImage(LoadImageFromFile):
    """mmcv's loader with Pillow as decoder: unlike OpenCV, it refuses a truncated file instead of filling it with grey.

    Args:
        **kwargs: See :class:`mmcv.transforms.LoadImageFromFile`.

    Raises:
        UnreadableImage: If the file cannot be opened or decoded.
    """

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{'imdecode_backend': 'pillow', **kwargs})

    def transform(self, results: dict) -> dict:
        """Add ``img`` (H, W, 3), BGR, uint8, to ``results``."""
        try:
            return super().transform(results)
        except Exception as error:  # Pillow's decoders raise whatever a broken file makes them stumble over
            if of_the_machine(error):
                raise
            raise UnreadableImage(f'{results["img_path"]}: {type(error).__name__}: {error}') from error
