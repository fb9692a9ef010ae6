"""Parts of sentences."""

import pytest

from lgd_mm.console.words import did_you_mean, first_line, some


@pytest.mark.parametrize('name, hint', [
    ('onx', "did you mean 'onnx'? "),
    ('VIT-b-16', "did you mean 'ViT-B-16'? "),
    ('wide', "did you mean 'Wide' or 'wider'? "),
    ('', ''),
    ('zebra', ''),
])
def test_did_you_mean(name: str, hint: str) -> None:
    assert did_you_mean(name, ('onnx', 'ViT-B-16', 'Wide', 'wider')) == hint


@pytest.mark.parametrize('error, line', [
    (ValueError('first\nsecond'), 'first'),
    (ValueError('\n  \nfirst  \nsecond'), 'first  '),
    (RuntimeError(), 'RuntimeError'),
    (RuntimeError(' \n '), 'RuntimeError'),
    (KeyError('no such layer'), 'no such layer'),
    (KeyError(), 'KeyError'),
    (KeyError(18), '18'),
    (OSError(2, 'No such file'), '[Errno 2] No such file'),
])
def test_first_line(error: Exception, line: str) -> None:
    assert first_line(error) == line


@pytest.mark.parametrize('count, told', [(0, ''), (1, '0'), (3, '0; 1; 2'), (4, '0; 1; 2 and 1 more')])
def test_some(count: int, told: str) -> None:
    assert some([str(number) for number in range(count)], 3, '; ') == told
