"""Test images that are among the unlabelled ones."""

from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope

from lgd_mm.api.images import images_in
from lgd_mm.console.quiet import quiet_loading
from lgd_mm.io.same_content import found_among


def tested_images(cfg: Config) -> list[str]:
    """Paths of the images that a config is tested on.

    Args:
        cfg (Config): With the user's data.
    """
    with DefaultScope.overwrite_default_scope(cfg.default_scope), quiet_loading():
        dataset = DATASETS.build(cfg.val_dataloader.dataset)
    return [dataset.get_data_info(index)['img_path'] for index in range(len(dataset))]


def among(images: str, tested: Sequence[str]) -> list[str]:
    """Those of some images that a folder holds, by their content: under whichever names.

    Args:
        images (str): Folder of unlabelled images.
        tested (Sequence[str]): Paths.

    Returns:
        list[str]: Their paths.
    """
    found = found_among(map(Path, tested), map(Path, images_in(images)))
    return [path for path in dict.fromkeys(tested) if Path(path) in found]
