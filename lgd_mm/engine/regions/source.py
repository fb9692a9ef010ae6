"""What sees the images: a detector or a grid, ready to give regions."""

import os
from collections.abc import Sequence

import numpy as np
from mmengine.config import Config
from mmengine.device import get_device

from lgd_mm.datasets.regions import Regions
from lgd_mm.engine.regions.checkpoint import DetectorFile
from lgd_mm.engine.regions.detector import DetectorRegions
from lgd_mm.engine.regions.grid import GridRegions
from lgd_mm.errors import UserError


def ready(source: DetectorFile | GridRegions, cfg: Config, most: int) -> DetectorRegions | GridRegions:
    """Put a network onto the device of this process.

    Args:
        source (DetectorFile | GridRegions): As it was read.
        cfg (Config): Of the detector.
        most (int): Boxes of an image.

    Raises:
        UserError: If it is another kind of detector, or the weights are of another.
    """
    device = get_device()
    device = f'cuda:{os.environ.get("LOCAL_RANK", 0)}' if device == 'cuda' else device
    if isinstance(source, GridRegions):
        source.to(device)
        return source
    return DetectorRegions(cfg, source, most, device)


def check_features(found: Sequence[Regions], paths: Sequence[str]) -> None:
    """See that features are numbers: whatever learns from others would be lost.

    Args:
        found (Sequence[Regions]): Of images.
        paths (Sequence[str]): Their files, for messages.

    Raises:
        UserError: If one is none.
    """
    for regions, path in zip(found, paths):
        if not np.isfinite(regions.features).all() or not np.isfinite(regions.boxes).all():
            raise UserError(f'{path} has a region whose feature is NaN or beyond float16: give weights that are '
                            'whole')
