"""Where a run waits that is being replaced: folders in its own folder."""

from pathlib import Path

from lgd_mm.errors import UserError

#: Where in its folder a run waits that is being replaced; while it is moved there or back; once it is not needed.
ASIDE, MOVING, GONE = '.replaced', '.replaced.moving', '.replaced.gone'


def check_in_one_place(work_dir: str) -> None:
    """See that no run in a folder was left while it was moved: what is in the folder is taken for a part of it.

    Args:
        work_dir (str): Of a run; may not exist.

    Raises:
        UserError: If one was.
    """
    if (Path(work_dir) / MOVING).is_dir():
        raise UserError(f'{work_dir} holds a part of a run that --overwrite was moving when it was killed, the rest is '
                        f'in {Path(work_dir) / MOVING}: lgd-mm with --resume puts it together; or give another folder '
                        'with --work-dir')
