"""What a student's file says of itself stands in its card as text, whatever it is."""

import re
from types import SimpleNamespace

import pytest

from lgd_mm.exports.card import _names, _teacher, told

EVIL = 'x\n---\nlicense: mit\n---\n<script>alert(1)</script>\x1b]0;p\x07 | ![a](http://b) `c` \u202e'


@pytest.mark.parametrize('value', [EVIL, {'a': EVIL}, [EVIL], '# ' + EVIL])
def test_texts_are_one_line_that_is_nothing_else(value):
    text = told(value)
    assert text.isprintable() and '<' not in text and not text.startswith('#')
    assert not re.search(r'(?<!\\)[|`\[!]', text)


@pytest.mark.parametrize('value, said', [
    ('RN50, weights openai', 'RN50, weights openai'), ('ViT-B-16', 'ViT-B-16'), (0, '0'), ('snake_case', 'snake_case'),
    ('a' * 9999, 'a' * 500 + '...'), ('a & b', 'a &amp; b')])
def test_usual_texts_stay(value, said):
    assert told(value) == said


def test_a_number_that_python_does_not_write():
    assert told(10**9999) == 'a number of too many digits'


@pytest.mark.parametrize('teacher', [[1], 'x', 5, None, {}])
def test_a_teacher_of_another_kind_is_not_recorded(teacher):
    assert _teacher(teacher) is None


def test_names_and_digests():
    assert _names(SimpleNamespace(names=('a|b', '<i>'), metadata={})) == r'2: a\|b, &lt;i&gt;'
    assert '\n' not in _names(SimpleNamespace(names=(), metadata=dict(vocabulary_digest=EVIL)))
