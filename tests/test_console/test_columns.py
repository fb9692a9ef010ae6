"""Rows as lines."""

from lgd_mm.console.columns import aligned


def test_cells_are_below_each_other_and_whole():
    """Whatever the width of the terminal; a character of Chinese takes two places."""
    rows = [('image', 'rank'), ('x' * 200, 1), ('日本', 2), ('a\x1b\n', '')]
    assert aligned(rows) == [f'image{" " * 197}rank', f'{"x" * 200}  1', f'日本{" " * 198}2', 'a\\x1b\\n']
    assert aligned([]) == []
