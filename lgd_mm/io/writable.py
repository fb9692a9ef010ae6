"""Whether a folder can be written to, asked before hours of work."""

import tempfile
from pathlib import Path

from lgd_mm.errors import UserError


def check_work_dir(work_dir: str) -> None:
    """Write a byte where the work dir is or will be, without making it.

    Raises:
        UserError: If that is impossible.
    """
    folder = Path(work_dir).absolute()
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b'0')
            file.flush()
    except OSError as error:
        raise UserError(f'work dir {work_dir} cannot be written to ({error.strerror}): give another with --work-dir '
                        'FOLDER') from error
