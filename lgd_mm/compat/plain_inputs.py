"""mmcv decodes, and mmengine reads, only what this package would."""

import os
import sys
from types import ModuleType
from typing import Any


def bound_images(io_module: ModuleType) -> None:
    """Let mmcv decode images of the known formats alone, within the bounds of :mod:`lgd_mm.io.images`.

    The loaders of mmdet, mmseg and mmpretrain decode by it.

    Args:
        io_module (ModuleType): ``mmcv.image.io``.
    """
    from PIL import Image  # here: `import lgd_mm` imports no image library

    from lgd_mm.io.images import check_image, open_head

    decode = io_module.imfrombytes

    class Pillow:
        """Pillow's module ``Image``, which opens the known formats alone."""

        def __getattr__(self, name: str) -> Any:
            return getattr(Image, name)

        def open(self, file: Any) -> Image.Image:
            return open_head(file)

    def imfrombytes(content: bytes, flag: str = 'color', channel_order: str = 'bgr', backend: str | None = None) -> Any:
        """As mmcv's, which gives None for what OpenCV cannot decode, and raises what Pillow does."""
        try:
            check_image(content)
        except OSError:
            if (backend or io_module.imread_backend) == 'pillow':
                raise
            return None
        return decode(content, flag, channel_order, backend)

    io_module.Image = Pillow()  # type: ignore[attr-defined]
    for name in (io_module.__name__, 'mmcv.image', 'mmcv'):  # those may have been imported before this package
        if hasattr(sys.modules.get(name), 'imfrombytes'):
            sys.modules[name].imfrombytes = imfrombytes  # type: ignore[attr-defined]


def read_plain_files(backend_module: ModuleType) -> None:
    """Let mmengine's files of this machine be plain ones: it would wait for a pipe without end.

    Args:
        backend_module (ModuleType): ``mmengine.fileio.backends.local_backend``.
    """
    from lgd_mm.io.files import read_plain

    read_text = backend_module.LocalBackend.get_text

    def get(self: Any, filepath: str | os.PathLike[str]) -> bytes:
        """As mmengine's."""
        return read_plain(filepath)

    def get_text(self: Any, filepath: str | os.PathLike[str], encoding: str = 'utf-8') -> str:
        """As mmengine's."""
        if not os.path.isfile(filepath):
            read_plain(filepath)
        text: str = read_text(self, filepath, encoding)
        return text

    backend_module.LocalBackend.get = get
    backend_module.LocalBackend.get_text = get_text


def refuse_pickled_arrays(io_module: ModuleType) -> None:
    """Let mmseg's loaders of arrays read no pickles, which may run any code: ``decode_backend='pickle'``.

    Args:
        io_module (ModuleType): ``mmseg.utils.io``.
    """
    from lgd_mm.errors import UserError

    decode = io_module.datafrombytes

    def datafrombytes(content: bytes, backend: str = 'numpy') -> Any:
        """As mmseg's."""
        if backend == 'pickle':
            raise UserError("decode_backend='pickle' would run what is in an image or annotation: write the arrays "
                            "with numpy.save and set decode_backend='numpy'")
        return decode(content, backend)

    # Those may have been imported before this package.
    for name in (io_module.__name__, 'mmseg.utils', 'mmseg.datasets.transforms.loading'):
        if hasattr(sys.modules.get(name), 'datafrombytes'):
            sys.modules[name].datafrombytes = datafrombytes  # type: ignore[attr-defined]
