"""What the fine-tuned network itself says of an image, by its library's own test path."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from numpy.typing import NDArray
from torch import Tensor

from lgd_mm.deploy.source import FineTuned


@torch.no_grad()
def reference(network: FineTuned, file: Path) -> dict[str, NDArray[Any]]:
    """Predict as ``tools/test.py`` does, one image at a time.

    Args:
        network (FineTuned): The network.
        file (Path): An image.

    Returns:
        dict[str, NDArray]: As ``predict.py`` names it: ``boxes``, ``scores``, ``labels`` and ``masks``; ``labels``; or
        ``scores``.
    """
    batch = pseudo_collate([read(network, file)])
    with DefaultScope.overwrite_default_scope(network.cfg.default_scope):
        return named(network.model.test_step(batch)[0])


def read(network: FineTuned, file: Path) -> dict[str, Any]:
    """An image as the test pipeline makes it, without annotations: ``inputs`` (3, H, W) and ``data_samples``."""
    kept = [step for step in network.pipeline if not str(step['type']).endswith('LoadAnnotations')]
    with DefaultScope.overwrite_default_scope(network.cfg.default_scope):
        ready: dict[str, Any] = Compose(kept)(dict(img_path=str(file), img_id=0))
    return ready


@torch.no_grad()
def letterboxed_reference(network: FineTuned, pixels: NDArray[Any], size: tuple[int, int],
                          original: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """What the network says of an image in a larger one, as of images that fill a batch up to the largest.

    Args:
        network (FineTuned): A detector or a segmentation network.
        pixels (NDArray): RGB (h, w, 3), uint8, resized.
        size (tuple[int, int]): Height and width of the larger image.
        original (tuple[int, int]): Of the image before it was resized.

    Returns:
        dict[str, NDArray]: As of :func:`reference`.
    """
    height, width = pixels.shape[:2]
    preprocessor = network.model.data_preprocessor
    images = torch.from_numpy(pixels[..., ::-1].copy()).permute(2, 0, 1)
    with DefaultScope.overwrite_default_scope(network.cfg.default_scope):
        if network.cfg.default_scope == 'mmdet':
            from mmdet.structures import DetDataSample as Sample
        else:
            from mmseg.structures import SegDataSample as Sample
        below, right = size[0] - height, size[1] - width
        sample = Sample(metainfo=dict(
            img_shape=(height, width), ori_shape=original, scale_factor=(width / original[1], height / original[0]),
            img_padding_size=(0, right, 0, below), batch_input_shape=size, pad_shape=size))
        normalised: Tensor = preprocessor(dict(inputs=[images], data_samples=[sample.clone()]))['inputs']
        normalised = normalised[:, :, :height, :width]
        filled = F.pad(normalised, (0, right, 0, below), value=preprocessor.pad_value)
        divisor = getattr(preprocessor, 'pad_size_divisor', 1)
        filled = F.pad(filled, (0, -size[1] % divisor, 0, -size[0] % divisor), value=preprocessor.pad_value)
        if network.cfg.default_scope == 'mmseg':
            sample.set_metainfo(dict(img_padding_size=(0, filled.shape[3] - width, 0, filled.shape[2] - height)))
        return named(network.model.predict(filled, [sample])[0])


def named(sample: Any) -> dict[str, NDArray[Any]]:
    """A prediction of OpenMMLab's as ``predict.py`` gives it."""
    if 'pred_instances' in sample:
        found = sample.pred_instances
        parts = dict(boxes=found.bboxes, scores=found.scores, labels=found.labels)
        if 'masks' in found:
            parts['masks'] = found.masks
    elif 'pred_sem_seg' in sample:
        parts = dict(labels=sample.pred_sem_seg.data[0])
    else:
        parts = dict(scores=sample.pred_score)
    return {name: np.asarray(value.cpu()) for name, value in parts.items()}
