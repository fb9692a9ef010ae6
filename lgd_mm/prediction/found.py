"""What a network found in one image: a record of plain data, a drawing, and a mask."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lgd_mm.prediction.network import MASKS, Network
from lgd_mm.report.overlays import Instances, draw_instances, draw_names, draw_segments

#: Names of an image that a classifier's table has, and that are written on the image.
NAMES, WRITTEN = 5, 3
#: Share of the pixels from which on a class counts among those found on the page.
SEEN = 0.005


@dataclass(frozen=True)
class Found:
    """Of one image.

    Attributes:
        record (Any): For the files, of numbers, words, lists and dicts.
        segments (np.ndarray, optional): Class of each pixel (H, W), of segmentation.
        instances (Instances, optional): Of detection.
    """

    record: Any
    segments: NDArray[Any] | None = None
    instances: Instances | None = None


def read_sample(network: Network, sample: Any) -> Found:
    """What a library's data sample says.

    Args:
        network (Network): Its task.
        sample (DataSample | DetDataSample | SegDataSample): Of the network's ``test_step``.

    Returns:
        Found: On the CPU.
    """
    if network.task == 'classification':
        scores, labels = sample.pred_score.float().cpu().topk(min(NAMES, len(sample.pred_score)))
        return Found([[label, score] for label, score in zip(labels.tolist(), scores.tolist())])
    if network.task == 'segmentation':
        segments = sample.pred_sem_seg.data[0].cpu().numpy()
        labels, counts = np.unique(segments, return_counts=True)
        return Found({str(label): int(count) for label, count in zip(labels, counts)}, segments=segments)
    objects = sample.pred_instances.cpu()
    masks = objects.masks.numpy().astype(bool) if network.task == MASKS and 'masks' in objects else None
    found = Instances(objects.bboxes.numpy(), objects.labels.numpy(), masks, objects.scores.numpy())
    return Found(_records(found), instances=found)


def _records(found: Instances) -> list[dict[str, Any]]:
    """Objects in COCO's format for results, with the class in the place of the category."""
    from mmdet.structures.mask import encode_mask_results  # here: it takes seconds
    encoded = encode_mask_results(found.masks) if found.masks is not None else None
    records = []
    assert found.scores is not None
    for index, (label, (left, top, right, bottom)) in enumerate(zip(found.labels.tolist(), found.boxes.tolist())):
        record = dict(label=label, bbox=[left, top, right - left, bottom - top], score=float(found.scores[index]))
        if encoded is not None:
            record['segmentation'] = dict(size=list(map(int, encoded[index]['size'])),
                                          counts=_text(encoded[index]['counts']))
        records.append(record)
    return records


def _text(counts: bytes | str) -> str:
    return counts.decode() if isinstance(counts, bytes) else counts


def draw(network: Network, pixels: NDArray[np.uint8], found: Found, score: float) -> Image.Image:
    """Draw what was found over its image.

    Args:
        network (Network): Its classes and colours.
        pixels (np.ndarray): BGR (H, W, 3).
        found (Found): In it.
        score (float): Of the objects that are drawn, at least.

    Returns:
        Image.Image: RGB, as large as the image, or enlarged by a whole number.
    """
    image = np.ascontiguousarray(pixels[..., ::-1])
    if found.segments is not None:
        return draw_segments(image, found.segments, network.classes, network.colours)
    if found.instances is not None:
        boxes, labels, masks, scores = found.instances
        assert scores is not None
        sure = scores >= score
        chosen = Instances(boxes[sure], labels[sure], masks[sure] if masks is not None else None, scores[sure])
        return draw_instances(image, chosen, network.classes, network.colours)
    lines = [f'{network.classes[label]} {value:.2f}' for label, value in found.record[:WRITTEN]]
    return draw_names(image, lines, network.colours[found.record[0][0]])


def mask_of(network: Network, segments: NDArray[Any]) -> Image.Image:
    """A mask that viewers show in the colours of the classes.

    Args:
        network (Network): Its classes and colours.
        segments (np.ndarray): Class of each pixel (H, W).

    Returns:
        Image.Image: With the number of its class at each pixel, from 0; in 16 bits where there are more than 256.
    """
    if len(network.classes) > 256:
        return Image.fromarray(segments.astype(np.uint16))
    mask = Image.fromarray(segments.astype(np.uint8), mode='P')
    mask.putpalette(network.colours.tobytes())
    return mask


def names_found(task: str, classes: Sequence[str], record: Any, size: Sequence[int], score: float) -> list[str]:
    """What an image shows, in words.

    Args:
        task (str): Of the network.
        classes (Sequence[str]): Its classes.
        record (Any): Of :class:`Found`.
        size (Sequence[int]): Width and height of the image, in pixels.
        score (float): Of the objects that count, at least.

    Returns:
        list[str]: Such as ``'cat 0.98'``, ``'cat ×2'`` or ``'sky 41 %'``, the most first.
    """
    if task == 'classification':
        return [f'{classes[label]} {value:.2f}' for label, value in record[:WRITTEN]]
    if task == 'segmentation':
        return [f'{classes[int(label)]} {share:.0%}'.replace('%', '\u00a0%') for label, share in _shares(record, size)]
    counts = Counter(each['label'] for each in record if each['score'] >= score)
    return [classes[label] + (f' \u00d7{count}' if count > 1 else '') for label, count in counts.most_common()]


def _shares(record: Mapping[str, int], size: Sequence[int]) -> list[tuple[str, float]]:
    shares = [(label, count / (size[0] * size[1])) for label, count in record.items()]
    return sorted((pair for pair in shares if pair[1] >= SEEN), key=lambda pair: -pair[1])
