"""What mmdet takes from the package ``lvis``, on faster-coco-eval: same numbers, and one package less to install.

``lvis`` itself asks for the OpenCV distribution that overwrites the headless one, and fails with numpy 2.
"""

import json
import sys
from collections import defaultdict
from typing import Any

from faster_coco_eval import COCOeval_faster

from lgd_mm.compat.coco_api import COCO
from lgd_mm.errors import UserError

#: LVIS counts the best 300 detections of each image, over all categories (Gupta et al. 2019, Sec. 3).
MAX_DETECTIONS = 300
#: Names of LVIS for those of faster-coco-eval.
NAMES = dict(
    AP='AP_all', AP50='AP_50', AP75='AP_75', APs='AP_small', APm='AP_medium', APl='AP_large', APr='APr', APc='APc',
    APf='APf', **{'AR@300': 'AR_all', 'ARs@300': 'AR_small', 'ARm@300': 'AR_medium', 'ARl@300': 'AR_large'})

#: What LVIS' evaluation needs of each image: categories that are known to be absent, and those not all outlined.
OF_IMAGES = ('neg_category_ids', 'not_exhaustive_category_ids')


class LVIS(COCO):
    """The annotation file; it has the snake case names that mmdet calls.

    Raises:
        UserError: If an image or a category lacks what the evaluation counts by; without it, whatever is found where
            nothing is would be forgiven.
    """

    def createIndex(self) -> None:  # noqa: N802 - pycocotools' name
        """As pycocotools has it."""
        if self.annotation_file is not None:
            for image in self.dataset.get('images') or ():
                lacking = [key for key in OF_IMAGES if not isinstance(image.get(key), list)]
                if lacking:
                    raise UserError(f'{self.annotation_file}: image {image.get("id")} has no list {lacking[0]!r}, by '
                                    'which LVIS counts: give a file in LVIS format, or a config for COCO format')
                image.setdefault('coco_url', image.get('file_name'))  # from which mmdet takes the path
            for category in self.dataset.get('categories') or ():
                if category.get('frequency') not in ('r', 'c', 'f'):
                    raise UserError(f'{self.annotation_file}: category {category.get("id")} has the frequency '
                                    f'{category.get("frequency")!r}, not "r", "c" or "f": give a file in LVIS format')
        super().createIndex()


def init_as_lvis() -> None:
    """Let ``import lvis`` find this module; mmdet must not have been imported yet."""
    sys.modules['lvis'] = sys.modules[__name__]


def LVISResults(ground_truth: COCO, file: str) -> COCO:  # noqa: N802 - a class in lvis
    """Read detections, and keep the best of each image.

    Args:
        ground_truth (COCO): The annotation file.
        file (str): JSON list of COCO's result format.

    Returns:
        COCO: The detections.

    Raises:
        IndexError: If there are none, as mmdet expects it.
    """
    with open(file, encoding='utf-8') as stream:
        detections = json.load(stream)
    if not detections:
        raise IndexError('no detections')
    of_image = defaultdict(list)
    for detection in detections:
        of_image[detection['image_id']].append(detection)
    best = [
        detection for found in of_image.values()
        for detection in sorted(found, key=lambda one: one['score'], reverse=True)[:MAX_DETECTIONS]
    ]
    return ground_truth.loadRes(best)


class LVISEval(COCOeval_faster):
    """LVIS' federated evaluation: a category counts only in images where it is known to be present or absent.

    Args:
        ground_truth (COCO): The annotation file.
        detections (COCO): Of :func:`LVISResults`.
        iou_type (str): ``'bbox'`` or ``'segm'``.
    """

    def __init__(self, ground_truth: COCO, detections: COCO, iou_type: str) -> None:
        super().__init__(ground_truth, detections, iou_type, print_function=_quiet, lvis_style=True)
        self.params.maxDets = [MAX_DETECTIONS]

    def evaluate(self) -> None:
        """Compare the detections with the ground truth.

        Raises:
            UserError: If proposals without categories are to be evaluated.
        """
        if not self.params.useCats:
            raise UserError("metric='proposal' of LVISMetric is not evaluated here: give bbox or segm")
        super().evaluate()

    def get_results(self) -> dict[str, float]:
        """The thirteen numbers of LVIS, 0 to 1; -1 where nothing was annotated."""
        return {name: self.stats_as_dict[theirs] for name, theirs in NAMES.items()}

    def print_results(self) -> None:
        """Print them, one on a line."""
        for name, value in self.get_results().items():
            print(f' {name:<8} = {value:0.3f}')


def _quiet(*args: Any) -> None:
    """Their own table has COCO's names."""
