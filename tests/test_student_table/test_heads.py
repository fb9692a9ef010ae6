"""Which heads can stand on which maps."""

import pytest

from lgd_mm.student_table import HEADS, SIMPLE_PYRAMID, heads

ALL = dict.fromkeys(HEADS, '')
PLAIN = dict(classification='', fpn=SIMPLE_PYRAMID, rtmdet=SIMPLE_PYRAMID, dense='')


@pytest.mark.parametrize(('strides', 'served'), [
    ((2, 4, 8, 16, 32), ALL),
    ((4, 8, 16, 32), ALL),
    ([32, 16, 8, 4], ALL),
    ((8, 16, 32, 64), dict(classification='', rtmdet='', dense='')),
    ((4, 8, 16), dict(classification='')),
    ((16, 32, 64), dict(classification='')),
    ((12, 17), dict(classification='')),
    ((), dict(classification='')),
    ((16, ), dict(classification='')),
    ((7, 7, 7), dict(classification='')),
    *(((patch, ) * maps, PLAIN) for patch in (8, 14, 16, 32) for maps in (2, 12)),
])
def test_heads_follow_from_the_strides(strides, served):
    assert heads(strides) == served


def test_images_of_one_size_are_for_pooling():
    assert heads((4, 8, 16, 32), only=True) == heads((16, 16), only=True) == dict(classification='', dense='')


def test_heads_are_told_in_one_order():
    assert list(heads((4, 8, 16, 32))) == list(heads((16, 16))) == list(HEADS)
