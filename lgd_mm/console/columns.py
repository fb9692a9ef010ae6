"""Rows as lines: whole at any width, so that a pipe gets every word."""

from collections.abc import Sequence

from rich.cells import cell_len

from lgd_mm.console.printable import printable


def aligned(rows: Sequence[Sequence[object]]) -> list[str]:
    """Cells below each other, two spaces apart; none is cut or wrapped, whatever the width of the terminal.

    Args:
        rows (Sequence[Sequence]): Of as many cells each; their strings are shown, without control characters.

    Returns:
        list[str]: A line for each.
    """
    texts = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*texts)]
    return ['  '.join(text + ' ' * (width - cell_len(text)) for text, width in zip(row, widths)).rstrip()
            for row in texts]
