"""Which fine-tuned networks are deployed, and what is said about the others."""

from typing import Any

from mmdet.models.dense_heads import ATSSHead, RetinaHead, RPNHead
from mmdet.models.dense_heads.rtmdet_head import RTMDetHead, RTMDetSepBNHead
from mmdet.models.detectors import SingleStageDetector, TwoStageDetector
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.roi_heads.mask_heads import FCNMaskHead
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from mmdet.models.task_modules.coders import DeltaXYWHBBoxCoder, DistancePointBBoxCoder
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.models.heads import ClsHead
from mmseg.models.segmentors import EncoderDecoder

from lgd_mm.deploy.classifier import Classifier
from lgd_mm.deploy.dense import Dense
from lgd_mm.deploy.network import DeployedNetwork
from lgd_mm.deploy.segmentor import Segmentor
from lgd_mm.deploy.source import FineTuned
from lgd_mm.deploy.two_stage import TwoStage
from lgd_mm.errors import UserError

FAMILIES = ('Faster and Mask R-CNN, RetinaNet, ATSS and RTMDet of mmdet, encoder-decoders of mmseg that are tested on '
            'whole images, and classifiers of mmpretrain with one label for an image')


def deployed(network: FineTuned, model: Any, raw: bool = False) -> DeployedNetwork:
    """The form of a network that is traced.

    Args:
        network (FineTuned): As it was read.
        model (Any): A copy of its model, which may be changed.
        raw (bool): Without what follows the network: threshold, non-maximum suppression, scaling. Defaults to False.

    Returns:
        DeployedNetwork: With the same predictions.

    Raises:
        UserError: If it is of no family that is known here.
    """
    for kind, form, misfit in ((TwoStageDetector, TwoStage, _two_stage), (SingleStageDetector, Dense, _dense),
                               (EncoderDecoder, Segmentor, _segmentor), (ImageClassifier, Classifier, _classifier)):
        if isinstance(model, kind):
            reason = misfit(model)
            if reason:
                break
            made = form(model, raw)
            made.eval()
            return made
    else:
        reason = f'it is a {type(model).__name__}'
    raise UserError(f'{network.path} cannot be exported as a whole: {reason}, and there are {FAMILIES}: export its '
                    'backbone alone (--backbone-only)')


def _two_stage(model: Any) -> str | None:
    roi_head = model.roi_head
    extractors = [roi_head.bbox_roi_extractor] if hasattr(roi_head, 'bbox_roi_extractor') else []
    if model.with_mask and hasattr(roi_head, 'mask_roi_extractor'):
        extractors.append(roi_head.mask_roi_extractor)
    if type(model.rpn_head) is not RPNHead or type(roi_head) is not StandardRoIHead:
        return f'its heads are {type(model.rpn_head).__name__} and {type(roi_head).__name__}'
    if roi_head.with_shared_head or any(type(each) is not SingleRoIExtractor for each in extractors):
        return 'its regions are pooled otherwise than from one level of a pyramid'
    if model.with_mask and (type(roi_head.mask_head) is not FCNMaskHead or roi_head.share_roi_extractor):
        return f'its mask head is a {type(roi_head.mask_head).__name__}'
    if roi_head.bbox_head.custom_cls_channels or not roi_head.bbox_head.with_reg:
        return 'its box head has scores of its own'
    return (_coder(model.rpn_head) or _coder(roi_head.bbox_head) or _nms(model.rpn_head.test_cfg)
            or _nms(roi_head.test_cfg))


def _dense(model: Any) -> str | None:
    head = model.bbox_head
    if type(head) not in (RetinaHead, ATSSHead, RTMDetHead, RTMDetSepBNHead):
        return f'its head is a {type(head).__name__}'
    if not head.use_sigmoid_cls:
        return 'its scores are no sigmoids'
    return _coder(head) or _nms(head.test_cfg)


def _segmentor(model: Any) -> str | None:
    if type(model) is not EncoderDecoder:
        return f'it is a {type(model).__name__}'
    if model.test_cfg.get('mode', 'whole') != 'whole':
        return 'it is tested by a window that slides over the image'
    test_cfg = model.data_preprocessor.test_cfg or {}
    return 'its test images are padded to one size' if test_cfg.get('size') else None


def _classifier(model: Any) -> str | None:
    return None if isinstance(model.head, ClsHead) else f'its head is a {type(model.head).__name__}'


def _coder(head: Any) -> str | None:
    known = type(head.bbox_coder) in (DeltaXYWHBBoxCoder, DistancePointBBoxCoder)
    return None if known else f'its boxes are coded by {type(head.bbox_coder).__name__}'


def _nms(cfg: Any) -> str | None:
    nms = cfg.get('nms') or {}
    plain = nms.get('type', 'nms') == 'nms' and set(nms) <= {'type', 'iou_threshold', 'class_agnostic', 'split_thr'}
    return None if plain and 'iou_threshold' in nms else f'its boxes are suppressed by {dict(nms)}'
