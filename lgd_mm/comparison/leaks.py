"""Test images that are among the unlabelled ones."""

from collections.abc import Iterable
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope

from lgd_mm.api.images import images_in
from lgd_mm.console.quiet import quiet_loading
from lgd_mm.models.teachers.weights import file_digest


def tested_images(cfg: Config) -> list[str]:
    """Paths of the images that a config is tested on.

    Args:
        cfg (Config): With the user's data.
    """
    with DefaultScope.overwrite_default_scope(cfg.default_scope), quiet_loading():
        dataset = DATASETS.build(cfg.val_dataloader.dataset)
    return [dataset.get_data_info(index)['img_path'] for index in range(len(dataset))]


def among(images: str, tested: Iterable[str]) -> list[str]:
    """Those of some images that a folder holds, by their content: under whichever names.

    Args:
        images (str): Folder of unlabelled images.
        tested (Iterable[str]): Paths.

    Returns:
        list[str]: Their paths.
    """
    sizes = {path: _size(path) for path in tested}
    looked_for = set(sizes.values())
    # Images without compression all have one size: each is read once, and only those that some other may equal.
    known = {_digest(path) for path in images_in(images) if _size(path) in looked_for} - {None}
    return [path for path in sizes if _digest(path) in known]


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:  # whoever reads it tells
        return -1


def _digest(path: str) -> str | None:
    try:
        return file_digest(Path(path))
    except OSError:
        return None
