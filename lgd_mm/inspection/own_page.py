"""Whether a file is a page of this kind, so that no other one is replaced."""

from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.io.files import open_plain

#: In the head of each page.
MARK = 'written by lgd-mm inspect'
#: Bytes at the beginning in which it stands.
HEAD = 1024


def check_page(out: Path) -> None:
    """See that nothing but an earlier page would be replaced.

    Args:
        out (Path): To be written; it may not exist.

    Raises:
        UserError: If it is something else, or its folder does not exist.
    """
    if not out.parent.is_dir():
        raise UserError(f'out: {out.parent} is no folder: make it, or give another --out FILE.html')
    try:
        with open_plain(out) as file:
            begins = file.read(HEAD)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f'out: {out} cannot be written ({error.strerror}): give another --out FILE.html') from error
    if begins and MARK.encode() not in begins:
        raise UserError(f'out: {out} exists and is no page of lgd-mm inspect: give another --out FILE.html')
