"""What becomes of an error in a run: a user's mistake is told in one sentence, and nothing half-written stays."""

import errno
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.runner import BaseLoop, Runner

from lgd_mm.engine import settings
from lgd_mm.engine.bad_pictures import bad_picture
from lgd_mm.errors import UserError
from lgd_mm.transfer.backbone import build_backbone

#: How the operating system says that there is no room or no permission.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG)


@contextmanager
def user_errors(cfg: Config, after_room: str) -> Iterator[list[Runner]]:
    """Tell what is the user's to mend as a :class:`UserError`; other errors pass.

    A work dir made within the context is removed, also after Ctrl-C, unless training has begun. After a full disk the
    checkpoint that was being written is removed too; whatever lay in the work dir before stays.

    Args:
        cfg (Config): The whole config.
        after_room (str): What to do once there is room again, to end the sentence about a full disk.

    Yields:
        list[Runner]: To put the runner into, as soon as it is built.
    """
    runners: list[Runner] = []
    made_here = not os.path.exists(cfg.work_dir)
    before = set(Path(cfg.work_dir).glob('*.pth'))

    def tidy() -> None:
        if made_here and get_rank() == 0 and not any(map(_has_begun, runners)):
            shutil.rmtree(cfg.work_dir, ignore_errors=True)

    try:
        yield runners
    except KeyboardInterrupt:
        tidy()
        raise
    except UserError as error:
        tidy()
        # From a loader's worker, torch hands over the whole traceback as the message.
        lines = str(error).strip().splitlines() or ['']
        raise UserError(lines[-1].removeprefix('lgd_mm.errors.UserError: ')) from error
    except (FileNotFoundError, AssertionError) as error:
        sentence = bad_picture(cfg, error) or (None if runners else _bad_backbone(cfg))
        if sentence is None:
            raise
        tidy()
        raise UserError(sentence) from error
    except OSError as error:
        if error.errno not in NO_ROOM or not _of_work_dir(error, cfg.work_dir):
            raise
        tidy()
        _remove_cut_off(cfg.work_dir, before)
        raise UserError(f'work dir {cfg.work_dir} cannot be written to ({error.strerror}): free some room or give '
                        f'another with --work-dir FOLDER{after_room}') from error
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        sentence = (_unknown_type(cfg, error) or _unknown_argument(cfg, error) or _short_schedule(error)
                    or (None if runners else _bad_backbone(cfg)))
        if sentence is None:
            raise
        tidy()
        raise UserError(sentence) from error


def _has_begun(runner: Runner) -> bool:
    """Whether there was an iteration; the runner itself would first build its loop, which may be what failed."""
    return isinstance(runner._train_loop, BaseLoop) and runner.iter > 0


def _of_work_dir(error: OSError, work_dir: str) -> bool:
    """Whether an error may be of a file in the work dir; a failing write() names none."""
    if error.filename is None:
        return True
    name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else str(error.filename)
    return Path(name).absolute().is_relative_to(Path(work_dir).absolute())


def _remove_cut_off(work_dir: str, before: set[Path]) -> None:
    if get_rank() == 0:
        for path in set(Path(work_dir).glob('*.pth')) - before:
            if not zipfile.is_zipfile(path):
                path.unlink()


def _short_schedule(error: Exception) -> str | None:
    """mmengine's words for a part of the schedule that would begin after the end."""
    parts = re.search(r'end should be larger than begin, but got begin=(\d+), end=(\d+)', str(error))
    return parts and (f'param_scheduler has a part that begins at step {parts[1]}, and training ends at {parts[2]}: '
                      'train longer, or set param_scheduler to fit')


def _unknown_type(cfg: Config, error: Exception) -> str | None:
    unknown = re.match(r"'?(\S+) is not in the (\S+) registry", str(error.args[0]) if error.args else '')
    if not unknown:
        return None
    key = settings.key_of_type(cfg._cfg_dict, unknown[1])
    return f'{key or "the config"}: there is no {unknown[1]} in the {unknown[2]} registry'


def _unknown_argument(cfg: Config, error: Exception) -> str | None:
    """Python's words for a key of the config that no class takes."""
    unknown = re.search(r"(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(\w+)'", str(error))
    if not unknown:
        return None
    key = settings.key_of_name(cfg._cfg_dict, unknown[2])
    return key and f'{key}: {unknown[1]} has no argument {unknown[2]!r}: correct its spelling, or leave it out'


def _bad_backbone(cfg: Config) -> str | None:
    """What is wrong with the backbone, if a runner could not be built because of it."""
    if 'backbone' in (cfg.get('model') or {}):
        try:
            build_backbone(cfg)
        except UserError as error:
            return str(error)
    return None
