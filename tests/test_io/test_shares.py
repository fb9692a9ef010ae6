"""Each process takes its own part of a job."""

import pytest

from lgd_mm.errors import UserError
from lgd_mm.io.shares import share_of


def test_a_share_is_the_one_that_is_named_or_the_launchers(monkeypatch):
    assert share_of('2/8') == (1, 8)
    monkeypatch.delenv('RANK', raising=False)
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    assert share_of(None) == (0, 1)
    monkeypatch.setenv('RANK', '3')
    monkeypatch.setenv('WORLD_SIZE', '4')
    assert share_of(None) == (3, 4) and share_of('1/2') == (0, 2)


@pytest.mark.parametrize('text', ['0/2', '3/2', '2', '', '/', 'a/b', '-1/2', '1/0', '1/2/3', '²/8'])
def test_what_is_no_share_is_told(text):
    with pytest.raises(UserError, match='give NUMBER/COUNT, such as 2/8'):
        share_of(text)
