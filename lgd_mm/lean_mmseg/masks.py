"""Masks of ground truth stay ``uint8`` on their way to the device, an eighth of the bytes that mmseg sends."""

from typing import Any

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs as MMSegPackSegInputs
from mmseg.models import SegDataPreProcessor as MMSegDataPreProcessor

from lgd_mm.registry import MODELS, TRANSFORMS


@TRANSFORMS.register_module()
class PackSegInputs(MMSegPackSegInputs):
    """mmseg's, but a mask is packed as it was loaded; :class:`SegDataPreProcessor` casts it on the device."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack an image and its mask.

        Args:
            results (dict[str, Any]): Of the pipeline, with ``gt_seg_map`` (H, W).

        Returns:
            dict[str, Any]: As mmseg's, with ``gt_sem_seg.data`` (1, H, W) in the type of ``gt_seg_map``.
        """
        packed = super().transform({key: value for key, value in results.items() if key != 'gt_seg_map'})
        if 'gt_seg_map' in results:
            mask = np.ascontiguousarray(results['gt_seg_map'])  # a flipped one runs backwards
            packed['data_samples'].gt_sem_seg = PixelData(data=torch.from_numpy(mask)[None])
        return packed


@MODELS.register_module()
class SegDataPreProcessor(MMSegDataPreProcessor):
    """mmseg's, whose masks come in any integer type and leave as ``int64``, which the losses need."""

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Move, normalise and pad a batch.

        Args:
            data (dict[str, Any]): Of the loader.
            training (bool): As mmseg's. Defaults to False.

        Returns:
            dict[str, Any]: As mmseg's.
        """
        data = super().forward(data, training)
        for sample in data['data_samples'] or ():
            if 'gt_sem_seg' in sample:
                sample.gt_sem_seg.data = sample.gt_sem_seg.data.long()
        return data
