"""RetinaNet, ATSS and RTMDet as one graph."""

from typing import Any

import torch
from torch import Tensor

from lgd_mm.deploy.boxes import best, decode, places, scale_of, sides_exceed, suppress
from lgd_mm.deploy.network import DeployedNetwork


class Dense(DeployedNetwork):
    """mmdet's ``SingleStageDetector`` whose head says of each anchor or point what it is and where.

    Args:
        model (nn.Module): The detector.
        raw (bool): Give boxes and scores of all anchors, before threshold and non-maximum suppression, for any number
            of images. Defaults to False.
    """

    def __init__(self, model: Any, raw: bool = False) -> None:
        super().__init__(model)
        self.raw = raw
        self.one_image = not raw
        self.output_names = ('boxes', 'scores') if raw else ('boxes', 'scores', 'labels')

    def forward(self, images: Tensor, image_size: Tensor, original_size: Tensor) -> tuple[Tensor, ...]:
        """Detect.

        Args:
            images (Tensor): RGB in [0, 1] (1, 3, H, W).
            image_size (Tensor): (2, ), int64.
            original_size (Tensor): (2, ).

        Returns:
            tuple[Tensor, ...]: ``boxes`` (N, 4), corners in pixels of the original image, ``scores`` (N, ) and
            ``labels`` (N, ), int64. Raw: ``boxes`` (B, A, 4) and ``scores`` (B, A, C) of all A anchors.
        """
        head = self.model.bbox_head
        found, moved, *factors = head(self.model.extract_feat(self.prepared(images, image_size)))
        priors = head.prior_generator.grid_priors([each.shape[-2:] for each in found], device=found[0].device)
        scale = scale_of(image_size, original_size)
        factor = _flat(factors[0], 1).sigmoid() if factors else None
        if self.raw:
            scores = _flat(found, head.cls_out_channels).sigmoid()
            deltas = _flat(moved, 4)
            every = torch.cat(priors)[None].expand(images.shape[0], -1, -1)
            boxes = decode(head.bbox_coder, every.flatten(0, 1), deltas.flatten(0, 1), image_size).reshape(deltas.shape)
            return boxes / scale, scores if factor is None else scores * factor
        chosen = self._chosen(found)
        which = torch.cat([start + each for start, each in zip(_starts(priors), chosen.anchors)])
        boxes = decode(head.bbox_coder, torch.cat(priors)[which], _flat(moved, 4)[0][which], image_size)
        boxes, labels = boxes * (1 / scale), torch.cat(chosen.labels)
        passed, cfg = torch.cat(chosen.scores), head.test_cfg
        scores = passed if factor is None else passed * factor[0, which, 0]
        kept = places((passed > cfg.get('score_thr', 0)) & sides_exceed(boxes, cfg.get('min_bbox_size', -1)))
        boxes, scores, labels = boxes[kept], scores[kept], labels[kept]
        groups = torch.zeros_like(labels) if cfg.nms.get('class_agnostic') else labels
        kept = suppress(boxes, scores, groups, cfg.nms.iou_threshold, cfg.max_per_img)
        return boxes[kept], scores[kept], labels[kept]

    def _chosen(self, found: list[Tensor]) -> '_Chosen':
        """The best of each level, by their scores alone."""
        classes = self.model.bbox_head.cls_out_channels
        most, chosen = self.model.bbox_head.test_cfg.get('nms_pre', -1), _Chosen()
        for each in found:
            scores, at = best(_flat([each], classes).sigmoid().flatten(), most)
            chosen.scores.append(scores)
            chosen.anchors.append(torch.div(at, classes, rounding_mode='floor'))
            chosen.labels.append(at % classes)
        return chosen


class _Chosen:
    """Of each level: scores, which of its anchors, and of which class, each (K, )."""

    def __init__(self) -> None:
        self.scores: list[Tensor] = []
        self.anchors: list[Tensor] = []
        self.labels: list[Tensor] = []


def _flat(maps: list[Tensor], values: int) -> Tensor:
    """Maps of all levels, each (B, A * values, h, w), as (B, all anchors, values)."""
    return torch.cat([each.permute(0, 2, 3, 1).reshape(each.shape[0], -1, values) for each in maps], 1)


def _starts(priors: list[Tensor]) -> list[Tensor]:
    """How many anchors the levels before each one have."""
    numbers = [torch._shape_as_tensor(each)[0] for each in priors]
    starts = [torch.zeros_like(numbers[0])]
    for number in numbers[:-1]:
        starts.append(starts[-1] + number)
    return starts
