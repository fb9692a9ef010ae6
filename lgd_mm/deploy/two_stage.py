"""Faster R-CNN and Mask R-CNN as one graph."""

from typing import Any

import torch
from torch import Tensor

from lgd_mm.deploy.boxes import best, decode, places, scale_of, sides_exceed, suppress
from lgd_mm.deploy.network import DeployedNetwork


class TwoStage(DeployedNetwork):
    """mmdet's ``TwoStageDetector`` with an ``RPNHead`` and a ``StandardRoIHead``, for one image.

    Args:
        model (nn.Module): The detector.
        raw (bool): Give what the second stage says of each proposal, before threshold and non-maximum suppression.
            Defaults to False.
    """

    def __init__(self, model: Any, raw: bool = False) -> None:
        super().__init__(model)
        self.raw = raw
        self.one_image = True
        self.pastes_masks = model.with_mask and not raw
        self.output_names = 'boxes', 'scores', *(() if raw else ('labels', )), *(('masks', ) * self.pastes_masks)

    def forward(self, images: Tensor, image_size: Tensor, original_size: Tensor) -> tuple[Tensor, ...]:
        """Detect.

        Args:
            images (Tensor): RGB in [0, 1] (1, 3, H, W).
            image_size (Tensor): (2, ), int64.
            original_size (Tensor): (2, ).

        Returns:
            tuple[Tensor, ...]: ``boxes`` (N, 4), corners in pixels of the original image, ``scores`` (N, ), ``labels``
            (N, ), int64, and of Mask R-CNN ``masks`` (N, 28, 28), probabilities within each box. Raw: ``boxes``
            (P, C, 4) and ``scores`` (P, C) of the P proposals and C classes.
        """
        maps = self.model.extract_feat(self.prepared(images, image_size))
        boxes, scores = self._classified(maps, self._proposals(maps, image_size), image_size)
        scale = scale_of(image_size, original_size)
        if self.raw:
            return boxes / scale, scores
        test_cfg = self.model.roi_head.test_cfg
        if not self.model.with_mask:  # mmdet's: with masks it first suppresses, then scales
            boxes = boxes * (1 / scale)
        found = places(scores.flatten() > test_cfg.score_thr)
        classes = scores.shape[1]
        boxes, scores, labels = boxes.reshape(-1, 4)[found], scores.flatten()[found], found % classes
        groups = torch.zeros_like(labels) if test_cfg.nms.get('class_agnostic') else labels
        kept = suppress(boxes, scores, groups, test_cfg.nms.iou_threshold, test_cfg.max_per_img)
        boxes, scores, labels = boxes[kept], scores[kept], labels[kept]
        if not self.model.with_mask:
            return boxes, scores, labels
        return boxes / scale, scores, labels, self._masks(maps, boxes, labels)

    def _proposals(self, maps: tuple[Tensor, ...], size: Tensor) -> Tensor:
        """Boxes that may hold an object (P, 4)."""
        head, cfg = self.model.rpn_head, self.model.rpn_head.test_cfg
        found, deltas = head(maps)
        anchors = head.prior_generator.grid_priors([each.shape[-2:] for each in found], device=found[0].device)
        scores, priors, moved, levels = [], [], [], []
        for level, each in enumerate(anchors):
            logits = found[level][0].permute(1, 2, 0).reshape(-1, head.cls_out_channels)
            one = logits.sigmoid()[:, 0] if head.use_sigmoid_cls else logits.softmax(-1)[:, 0]
            one, chosen = best(one, cfg.get('nms_pre', -1))
            scores.append(one)
            priors.append(each[chosen])
            moved.append(deltas[level][0].permute(1, 2, 0).reshape(-1, 4)[chosen])
            levels.append(torch.full_like(chosen, level))
        boxes = decode(head.bbox_coder, torch.cat(priors), torch.cat(moved), size)
        large = places(sides_exceed(boxes, cfg.get('min_bbox_size', -1)))
        boxes = boxes[large]
        kept = suppress(boxes, torch.cat(scores)[large], torch.cat(levels)[large], cfg.nms.iou_threshold,
                        cfg.max_per_img)
        return boxes[kept]

    def _classified(self, maps: tuple[Tensor, ...], proposals: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes (P, C, 4) and scores (P, C) of the proposals, for each class."""
        roi_head = self.model.roi_head
        head = roi_head.bbox_head
        logits, deltas = head(pooled(roi_head.bbox_roi_extractor, maps, proposals))
        scores = logits.softmax(-1)[:, :-1]
        own = 1 if head.reg_class_agnostic else head.num_classes
        each = proposals[:, None].expand(-1, own, 4).reshape(-1, 4)
        boxes = decode(head.bbox_coder, each, deltas.reshape(-1, 4), size).reshape(-1, own, 4)
        return boxes.expand(-1, head.num_classes, 4), scores

    def _masks(self, maps: tuple[Tensor, ...], boxes: Tensor, labels: Tensor) -> Tensor:
        """Probabilities (N, h, w) within boxes."""
        roi_head = self.model.roi_head
        found: Tensor = roi_head.mask_head(pooled(roi_head.mask_roi_extractor, maps, boxes)).sigmoid()
        if roi_head.mask_head.class_agnostic:
            return found[:, 0]
        chosen = labels[:, None, None, None].expand(-1, 1, *found.shape[2:])
        return found.gather(1, chosen)[:, 0]


def pooled(extractor: Any, maps: tuple[Tensor, ...], boxes: Tensor) -> Tensor:
    """What mmdet's ``SingleRoIExtractor`` takes of the maps: each box from the level of its size.

    Args:
        extractor (Any): Of mmdet.
        maps (tuple[Tensor, ...]): Of one image, each (1, C, h, w).
        boxes (Tensor): Corners in pixels of the input (N, 4).

    Returns:
        Tensor: (N, C, rows, columns).
    """
    rois = torch.cat([torch.zeros_like(boxes[:, :1]), boxes], 1)
    number = len(extractor.roi_layers)
    levels = extractor.map_roi_levels(rois, number)
    parts, order = [], []
    for level, layer in enumerate(extractor.roi_layers):
        own = places(levels == level)
        rows, columns = layer.output_size
        parts.append(torch.ops.torchvision.roi_align(
            maps[level], rois[own], layer.spatial_scale, rows, columns, layer.sampling_ratio, layer.aligned))
        order.append(own)
    back = torch.cat(order).argsort()
    return torch.cat(parts)[back]
