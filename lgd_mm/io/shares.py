"""Which part of a job is this process's, of a job whose files any number of processes may write."""

import os

from lgd_mm.errors import UserError


def share_of(text: str | None) -> tuple[int, int]:
    """Read ``2/8``: the second of eight shares.

    Args:
        text (str, optional): Of ``--share``. None: the place among the processes that a launcher started.

    Returns:
        tuple[int, int]: Number from 0, and how many there are.

    Raises:
        UserError: If it is none.
    """
    if text is None:
        return int(os.environ.get('RANK', 0)), int(os.environ.get('WORLD_SIZE', 1))
    number, _, count = text.partition('/')
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise UserError(f'--share {text}: give NUMBER/COUNT, such as 2/8')
    return int(number) - 1, int(count)
