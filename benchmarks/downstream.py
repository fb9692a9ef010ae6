"""Testing downstream: COCO's twelve numbers by pycocotools and by the library that the tools put in its place."""

import contextlib
import io

import faster_coco_eval
import numpy as np
from harness import Case, main
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

CLASSES = 80


def annotations(images: int, each: int) -> tuple[dict, list[dict]]:
    """Ground truth and detections of boxes: half of them near an object."""
    rng = np.random.default_rng(0)
    truth, found = [], []
    for image in range(1, images + 1):
        for _ in range(each):
            box = np.concatenate([rng.uniform(0, 400, 2), rng.uniform(10, 200, 2)])
            category = int(rng.integers(1, CLASSES + 1))
            truth.append(dict(id=len(truth) + 1, image_id=image, category_id=category, bbox=box.tolist(),
                              area=float(box[2] * box[3]), iscrowd=0))
            for spread in (3, 3, 100, 100, 100):
                guess = np.abs(box + rng.normal(0, spread, 4)) + 1
                found.append(dict(image_id=image, category_id=category, bbox=guess.tolist(), score=rng.uniform()))
    whole = dict(info={}, images=[dict(id=image, height=640, width=640) for image in range(1, images + 1)],
                 annotations=truth, categories=[dict(id=c, name=str(c)) for c in range(1, CLASSES + 1)])
    return whole, found


def evaluation(quick: bool) -> Case:
    """The twelve numbers by both libraries; first, that they agree."""
    whole, found = annotations(100 if quick else 1_000, 7)

    def numbers(coco_class: type, evaluator: type) -> np.ndarray:
        with contextlib.redirect_stdout(io.StringIO()):
            coco = coco_class()
            coco.dataset = whole
            coco.createIndex()
            run = evaluator(coco, coco.loadRes(found), 'bbox')
            run.evaluate()
            run.accumulate()
            run.summarize()
        return np.asarray(run.stats[:12])

    forms = {
        'pycocotools': lambda: numbers(COCO, COCOeval),
        'faster-coco-eval': lambda: numbers(faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster),
    }
    first, second = (run() for run in forms.values())
    np.testing.assert_allclose(first, second, atol=1e-12)
    return Case(f'box AP of {len(whole["images"])} images', forms, baseline='pycocotools')


def cases(quick: bool) -> list[Case]:
    """One comparison."""
    return [evaluation(quick)]


if __name__ == '__main__':
    main(cases, __doc__ or '')
