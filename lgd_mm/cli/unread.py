"""What a command could not read, told at its end."""

from collections.abc import Sequence

import click

from lgd_mm.console.printable import printable
from lgd_mm.errors import DataError


def tell_unread(lines: Sequence[str], how: str, many: str) -> None:
    """Name what was left out, the last of it in the sentence that the command ends with.

    Args:
        lines (Sequence[str]): Files, and why.
        how (str): ``'read'`` or ``'read whole'``.
        many (str): How many they are, such as ``'2 images'``.

    Raises:
        DataError: If there is one.
    """
    for line in lines[:-1]:
        click.echo(f'not {how}: {printable(line)}', err=True)
    if lines:
        raise DataError(f'{many} could not be {how}, the last of them {lines[-1]}')
