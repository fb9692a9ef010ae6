"""ROUGE-L: the longest common subsequence of a caption and its references."""

from collections.abc import Sequence

#: How much more recall counts than precision.
BETA = 1.2


def rouge(captions: Sequence[list[str]], references: Sequence[Sequence[list[str]]]) -> list[float]:
    """ROUGE-L of each image (`Lin 2004 <https://aclanthology.org/W04-1013>`_), with the best precision and the best
    recall of its references, as in COCO's code.

    Args:
        captions (Sequence[list[str]]): Words of a caption for each image.
        references (Sequence[Sequence[list[str]]]): Those of its references, at least one.

    Returns:
        list[float]: From 0 to 1.
    """
    scores = []
    for caption, some in zip(captions, references):
        common = [common_subsequence(caption, reference) for reference in some]
        precision = max(common) / max(1, len(caption))
        recall = max(length / max(1, len(reference)) for length, reference in zip(common, some))
        both = precision and recall
        scores.append((1 + BETA**2) * precision * recall / (recall + BETA**2 * precision) if both else 0.)
    return scores


def common_subsequence(first: list[str], second: list[str]) -> int:
    """Length of the longest one."""
    row = [0] * (len(second) + 1)
    for word in first:
        before = row
        row = [0]
        for index, other in enumerate(second):
            row.append(before[index] + 1 if word == other else max(before[index + 1], row[-1]))
    return row[-1]
