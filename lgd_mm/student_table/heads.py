"""Which heads can stand on a student, by the strides of its maps."""

from collections.abc import Mapping, Sequence

#: Head -> strides of the maps that it takes.
HEADS: Mapping[str, tuple[int, ...]] = dict(
    classification=(),  # the last output is pooled, whatever it is
    fpn=(4, 8, 16, 32),  # Faster and Mask R-CNN, RetinaNet, ATSS, UPerNet, SemanticFPN, SegFormer
    rtmdet=(8, 16, 32),
    dense=(8, 16, 32))  # dense guidance in pre-training
#: Those for images of many sizes.
SIZES = ('fpn', 'rtmdet')
#: How a plain transformer, whose maps have all one stride, serves the heads on a feature pyramid: `ViTDet
#: <https://arxiv.org/abs/2203.16527>`_.
SIMPLE_PYRAMID = 'by a simple pyramid'
#: Strides of the patches that such a pyramid is made of.
PATCHES = (8, 14, 16, 32)


def heads(strides: Sequence[int], only: bool = False) -> dict[str, str]:
    """The heads that a student can serve.

    Args:
        strides (Sequence[int]): Of the student's maps, in their order; empty if it has none.
        only (bool): Whether it takes images of one size alone, as detection and segmentation do not have them. Defaults
            to False.

    Returns:
        dict[str, str]: Head -> how: :data:`SIMPLE_PYRAMID`, or nothing if the student's own maps are taken as they are.
    """
    plain = len(strides) > 1 and len(set(strides)) == 1 and strides[0] in PATCHES
    served = {head: '' for head, wanted in HEADS.items()
              if set(wanted) <= set(strides) and not (only and head in SIZES)}
    if plain:
        served['dense'] = ''  # by the last map
    if plain and not only:
        served.update(dict.fromkeys(SIZES, SIMPLE_PYRAMID))
    return {head: served[head] for head in HEADS if head in served}
