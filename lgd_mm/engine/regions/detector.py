"""A two-stage detector as a source of regions: boxes that it finds, and its features at any boxes."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmdet.models.detectors import TwoStageDetector
from mmdet.models.roi_heads import CascadeRoIHead, StandardRoIHead
from mmdet.models.roi_heads.bbox_heads import BBoxHead, ConvFCBBoxHead
from mmdet.structures.bbox import bbox2roi
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS
from numpy.typing import NDArray
from torch import Tensor, nn

from lgd_mm.datasets.regions import Regions
from lgd_mm.engine.checks import preflight
from lgd_mm.engine.regions.checkpoint import DetectorFile
from lgd_mm.engine.regions.pipeline import only_resized, unlabelled
from lgd_mm.errors import UserError

#: Heads whose boxes are made by these, and no other way, are understood.
KNOWN = tuple((head.predict_bbox, head._bbox_forward) for head in (StandardRoIHead, CascadeRoIHead))


class DetectorRegions:
    """Faster R-CNN, Mask R-CNN, Cascade R-CNN, with or without an FPN.

    Args:
        cfg (Config): Of the detector, with its test pipeline.
        file (DetectorFile): Its weights.
        most (int): Boxes of an image.
        device (str): Where it computes.

    Raises:
        UserError: If it is another kind of detector, or the weights are of another.
    """

    def __init__(self, cfg: Config, file: DetectorFile, most: int, device: str) -> None:
        self.most, self._read, self._with_map = most, Compose(unlabelled(cfg)), file.with_map
        model = MODELS.build(_to_be_filled(cfg))
        check_two_stage(model)
        preflight.check_weights(model, file.state, file.path)
        model.load_state_dict(file.state)
        self.model: Any = revert_sync_batchnorm(model).to(device).eval()

    def read(self, path: str) -> dict[str, Any]:
        """An image as the detector takes it."""
        packed: dict[str, Any] = self._read(dict(img_path=path, img_id=0, instances=[]))
        only_resized(packed['data_samples'].metainfo)
        return packed

    @torch.no_grad()
    def regions(self, batch: Sequence[dict[str, Any]], given: Sequence[Regions] | None = None) -> list[Regions]:
        """Regions of images.

        Args:
            batch (Sequence[dict]): Of :meth:`read`.
            given (Sequence[Regions], optional): Whose boxes are taken, as they are and in their order. Defaults to
                None: those that the detector finds.

        Returns:
            list[Regions]: Of each image.

        Raises:
            UserError: If a given image is of another size.
        """
        data = self.model.data_preprocessor(pseudo_collate(list(batch)), False)
        metas = [sample.metainfo for sample in data['data_samples']]
        maps = self.model.extract_feat(data['inputs'])
        found = self._found(maps, data['data_samples'], metas) if given is None else given
        for meta, regions in zip(metas, found):
            if _size(meta) != regions.size:
                raise UserError(f'{meta["img_path"]} has {_size(meta)[0]} x {_size(meta)[1]} pixels, and the boxes are '
                                f'of one of {regions.size[0]} x {regions.size[1]}: give the image that they were found '
                                'in, read in the same way')
        features = self._features(maps, metas, [regions.boxes for regions in found])
        return [regions._replace(features=each) for regions, each in zip(found, features)]

    def _found(self, maps: Sequence[Tensor], samples: list[Any], metas: list[dict[str, Any]]) -> list[Regions]:
        """What a test of the detector finds, less what is behind the first boxes; it is sorted by score already."""
        head = self.model.roi_head
        proposals = self.model.rpn_head.predict(maps, samples, rescale=False)
        return [self._of(result, _size(meta))
                for result, meta in zip(head.predict_bbox(maps, metas, proposals, head.test_cfg, rescale=True), metas)]

    def _of(self, result: Any, size: tuple[int, int]) -> Regions:
        boxes, scores, tags = (result[key][:self.most].cpu().numpy() for key in ('bboxes', 'scores', 'labels'))
        boxes = np.clip(boxes.astype(np.float32), 0, np.tile(np.array(size, np.float32), 2))
        return Regions(boxes, scores.astype(np.float16), tags.astype(np.int16), np.zeros((len(boxes), 0), np.float16),
                       size)

    def _features(self, maps: Sequence[Tensor], metas: list[dict[str, Any]],
                  boxes: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """Features at boxes in pixels of the images, brought to the scale at which this detector saw each."""
        device = maps[0].device
        scaled = [torch.tensor(each, device=device) * torch.tensor(_scale(meta), device=device).repeat(2)
                  for each, meta in zip(boxes, metas)]
        head = self.model.roi_head
        extractor = _last(head.bbox_roi_extractor)
        pooled = extractor(maps[:extractor.num_inputs], bbox2roi(scaled))
        if head.with_shared_head:
            pooled = head.shared_head(pooled)
        found = box_features(_last(head.bbox_head), pooled)
        if self._with_map:
            found = torch.cat([found, pooled.mean(dim=(2, 3))], dim=1)
        features = found.half().cpu()
        return [each.numpy() for each in features.split([len(each) for each in boxes])]


def box_features(head: BBoxHead, pooled: Tensor) -> Tensor:
    """What a box head makes of regions before it classifies them and moves their boxes.

    Args:
        head (BBoxHead): Of mmdet.
        pooled (Tensor): Maps of n regions (n, C, h, w).

    Returns:
        Tensor: (n, D), of the layers that both of its tasks share; without shared linear layers, the mean of the map.
    """
    for conv in getattr(head, 'shared_convs', ()):
        pooled = conv(pooled)
    layers = getattr(head, 'shared_fcs', ())
    if not len(layers):
        return pooled.mean(dim=(2, 3))
    features = (head.avg_pool(pooled) if head.with_avg_pool else pooled).flatten(1)
    for layer in layers:
        features = head.relu(layer(features))
    return features


def check_two_stage(model: nn.Module) -> None:
    """See that a detector has boxes with features.

    Raises:
        UserError: If it is none of two stages whose box head is understood.
    """
    head: Any = getattr(model, 'roi_head', None)
    known = isinstance(model, TwoStageDetector) and model.with_rpn and any(
        (type(head).predict_bbox, type(head)._bbox_forward) == each for each in KNOWN)
    if not known or type(_last(head.bbox_head)).forward not in (BBoxHead.forward, ConvFCBBoxHead.forward):
        kind = type(model).__name__ + (f' with {type(head).__name__}' if isinstance(model, TwoStageDetector) else '')
        raise UserError(f'the config describes a {kind}, which has no features of boxes that are understood: give a '
                        'Faster, Mask or Cascade R-CNN, or --grid G for cells of a backbone')


def _last(part: Any) -> Any:
    """The last stage of a cascade."""
    return part[-1] if isinstance(part, nn.ModuleList) else part


def _size(meta: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height of the image as it was read."""
    return int(meta['ori_shape'][1]), int(meta['ori_shape'][0])


def _scale(meta: Mapping[str, Any]) -> tuple[float, float]:
    """By which its width and height were brought to what the detector sees."""
    width, height = meta.get('scale_factor', (1., 1.))
    return float(width), float(height)


def _to_be_filled(cfg: Config) -> dict[str, Any]:
    """The config of a detector that reads no file of weights while it is built, as the checkpoint brings all of them,
    and does not say how it is trained."""
    model = {**copy.deepcopy(dict(cfg.model)), 'train_cfg': None}
    if cfg.get('data_preprocessor'):  # as mmengine's runner has it
        model.setdefault('data_preprocessor', cfg.data_preprocessor)
    for part in (model, model.get('backbone') or {}):
        part.pop('init_cfg', None)
    return model
