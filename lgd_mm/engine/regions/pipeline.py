"""The test pipeline of a detector without its annotations, and whether boxes can follow it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.config import Config

from lgd_mm.datasets.of_config import innermost
from lgd_mm.errors import UserError

#: What is asked of an image that was read.
META = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'homography_matrix')


def unlabelled(cfg: Config) -> list[dict[str, Any]]:
    """The steps that read and resize an image, as in the detector's own test.

    Args:
        cfg (Config): Of the detector.

    Returns:
        list[dict]: Of a pipeline that packs what :func:`only_resized` asks for.

    Raises:
        UserError: If there is no test pipeline.
    """
    steps = [dict(step) for step in tested(cfg).get('pipeline') or ()]
    kept = [step for step in steps if not _is(step, 'Annotations') and not _is(step, 'Proposals')]
    if not kept or not _is(kept[-1], 'PackDetInputs'):
        raise UserError('the config has no test pipeline of a detector, by which images are read: '
                        'test_dataloader.dataset.pipeline must end with mmdet.PackDetInputs')
    return [*kept[:-1], dict(type='mmdet.PackDetInputs', meta_keys=META)]


def tested(cfg: Config) -> Mapping[str, Any]:
    """The data set that a detector is tested on; empty if its config has none."""
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader') or {}
    dataset: Mapping[str, Any] = innermost(loader.get('dataset') or {})
    return dataset


def only_resized(meta: Mapping[str, Any]) -> None:
    """See that the image in front of a detector is the whole one, resized: boxes are brought there by its scale.

    Args:
        meta (Mapping[str, Any]): What is known of it after the pipeline.

    Raises:
        UserError: If it was mirrored, cropped or moved.
    """
    width, height = meta.get('scale_factor', (1., 1.))
    matrix = meta.get('homography_matrix')
    if matrix is not None and not np.allclose(matrix, np.diag([width, height, 1.]), atol=1e-4):
        raise UserError('test_dataloader.dataset.pipeline mirrors, crops or moves images, and boxes are of whole ones: '
                        'leave it steps that resize alone')


def _is(step: Mapping[str, Any], kind: str) -> bool:
    name = getattr(step['type'], '__name__', str(step['type']))
    return str(name).endswith(kind)
