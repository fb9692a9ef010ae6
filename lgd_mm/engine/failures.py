"""What becomes of an error in a run: a user's mistake is told in one sentence, and nothing half-written stays."""

import errno
import logging
import os
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.logging import MMLogger
from mmengine.runner import BaseLoop, Runner

from lgd_mm.datasets.loading import FAILING, UnreadableImage
from lgd_mm.datasets.shared_memory import is_exhausted
from lgd_mm.engine import settings
from lgd_mm.engine.checks.lone_image import ALONE, REFUSED
from lgd_mm.engine.checks.unreadable_image import bad_image
from lgd_mm.engine.hooks.skipped_steps import FOLDER
from lgd_mm.errors import DataError, ExhaustedError, Stopped, UserError
from lgd_mm.io.files import remove
from lgd_mm.io.lock import is_empty
from lgd_mm.runs.checkpoints import BEGUN
from lgd_mm.students.backbone import build_backbone

#: How torch hands over the error of a loader's worker.
KIND = re.compile(r'^lgd_mm\.errors\.\w+: ')
#: How the operating system says that there is no disk space or no permission.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG)


@contextmanager
def user_errors(cfg: Config, when_disk_is_full: str) -> Iterator[list[Runner]]:
    """Tell what the user can correct as a :class:`UserError`; other errors pass.

    What the run makes in an empty or missing work dir within the context is removed, also after a signal, unless
    training has begun; what others put there stays.

    Args:
        cfg (Config): The whole config.
        when_disk_is_full (str): What to do once there is disk space again, to end the sentence about a full disk.

    Yields:
        list[Runner]: To put the runner into, as soon as it is built.
    """
    runners: list[Runner] = []
    was_there, was_empty = os.path.exists(cfg.work_dir), is_empty(cfg.work_dir)

    def tidy() -> None:
        if was_empty and get_rank() == 0 and not any(map(_has_begun, runners)):
            for path in _made(cfg):
                remove(path)
            if not was_there:
                with suppress(OSError):
                    os.rmdir(cfg.work_dir)

    try:
        yield runners
    except (KeyboardInterrupt, Stopped):
        tidy()
        raise
    except UserError as error:
        tidy()
        # From a loader's worker, torch hands over the whole traceback as the message.
        lines = '\n'.join(map(str, error.args)).strip().splitlines() or ['']
        raise type(error)(KIND.sub('', lines[-1])) from error
    except (FileNotFoundError, AssertionError, UnreadableImage) as error:
        sentence = bad_image(cfg, error) or (_gone(cfg, error) if runners else _bad_backbone(cfg))
        if sentence is None:
            raise
        tidy()
        raise DataError(sentence) from error
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise ExhaustedError(_no_memory(error)) from error
    except OSError as error:
        if sentence := _exhausted(error):
            raise ExhaustedError(sentence) from error
        if sentence := bad_image(cfg, error):
            raise DataError(sentence) from error
        if error.errno not in NO_ROOM or not _of_work_dir(error, cfg.work_dir):
            raise
        tidy()
        raise UserError(f'work dir {cfg.work_dir} cannot be written to ({error.strerror}): free disk space or give '
                        f'another with --work-dir FOLDER{when_disk_is_full}') from error
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        if sentence := _exhausted(error):
            tidy()
            raise ExhaustedError(sentence) from error
        sentence = (_lost_process(error) or _lone_image(error) or _unknown_type(cfg, error)
                    or _unknown_argument(cfg, error) or _short_schedule(error) or _no_images(error)
                    or (None if runners else _bad_backbone(cfg)))
        if sentence is None:
            raise
        tidy()
        raise UserError(sentence) from error


def _made(cfg: Config) -> Iterator[Path]:
    """What a run makes in its work dir until its first step has ended; its logs are in a folder that it has named."""
    folder = Path(cfg.work_dir).absolute()
    yield from (folder / name for name in (Path(cfg.filename or BEGUN).name, BEGUN, FOLDER))
    for logger in MMLogger._instance_dict.values():
        for handler in logger.handlers:
            if isinstance(handler, logging.FileHandler) and Path(handler.baseFilename).parent.parent == folder:
                yield Path(handler.baseFilename).parent


def _gone(cfg: Config, error: Exception) -> str | None:
    """What became of a run whose folder is no longer where it was."""
    if not isinstance(error, FileNotFoundError) or error.filename is None or not _of_work_dir(error, cfg.work_dir):
        return None
    return (f'{error.filename} is gone: work dir {cfg.work_dir} was renamed, removed or emptied while the run was at '
            'work in it; --resume goes on from the last checkpoint, where there is one')


def _has_begun(runner: Runner) -> bool:
    """Whether there was an iteration; the runner itself would first build its loop, which may be what failed."""
    return isinstance(runner._train_loop, BaseLoop) and runner.iter > 0


def _of_work_dir(error: OSError, work_dir: str) -> bool:
    """Whether an error may be of a file in the work dir; a failing write() names none."""
    if error.filename is None:
        return True
    name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else str(error.filename)
    return Path(name).absolute().is_relative_to(Path(work_dir).absolute())


def _no_memory(error: Exception) -> str:
    where = 'the GPU' if isinstance(error, torch.OutOfMemoryError) else 'this machine'
    return (f'{where} has no memory left: give a smaller batch (train_dataloader.batch_size, with '
            'optim_wrapper.accumulative_counts for the rest; test_dataloader.batch_size where nothing is trained), '
            '--amp, or fewer train_dataloader.num_workers; --resume goes on from the last checkpoint')


def _exhausted(error: Exception) -> str | None:
    """What the machine has run out of, or no longer reaches."""
    try:
        return _run_out_of(error)
    except RuntimeError as late:  # torch tells of a loader's end when its signal comes, be it in here
        if not _of_killed_loader(late):
            raise
        return _run_out_of(late)


def _run_out_of(error: Exception) -> str | None:
    text = str(error)
    if is_exhausted(error):
        return ('shared memory is full, through which loaders hand over their batches: give '
                'train_dataloader.num_workers=0, or in a container --shm-size 8g')
    if any(map(_of_killed_loader, (error, error.__cause__))):
        return ('a loader was ended from outside, as it happens when the machine has no memory left: give fewer '
                'train_dataloader.num_workers or a smaller train_dataloader.batch_size')
    if getattr(error, 'errno', None) in (errno.EMFILE, errno.ENFILE) or 'Too many open files' in text:
        return 'too many files are open: raise the bound (ulimit -n 65536), or give fewer train_dataloader.num_workers'
    gone = re.search(rf'\[Errno (?:{"|".join(map(str, FAILING))})\] .*', text)
    if gone:
        return (f'a disk or a network share fails ({gone[0]}): see that it is there and whole; --resume goes on from '
                'the last checkpoint')
    if "DefaultCPUAllocator: can't allocate memory" in text:
        return _no_memory(MemoryError())
    return None


def _of_killed_loader(error: BaseException | None) -> bool:
    """Whether an error is that of a loader which was killed: the system told so, or a batch was being handed over,
    which is done through a socket. torch may put another error in its place, and name it as the cause."""
    return 'killed by signal: Killed' in str(error) or isinstance(error, (ConnectionError, EOFError)) and any(
        Path(frame.filename).name == 'resource_sharer.py' for frame in traceback.extract_tb(error.__traceback__))


def _lost_process(error: Exception) -> str | None:
    """gloo's and nccl's words for a process that does not answer."""
    found = re.search(r'Timed out waiting (\d+)ms|Connection (?:closed by peer|reset by peer|refused)|'
                      r'Broken pipe|Watchdog caught collective operation timeout', str(error))
    if found is None:
        return None
    what = f'has not answered for {int(found[1]) // 1000} seconds' if found[1] else 'has ended'
    return (f'another process of this run {what}: see what it said; MAX_RESTARTS=N tools/dist_train.sh begins again by '
            'itself, --resume goes on from the last checkpoint, and env_cfg.dist_cfg.timeout sets the seconds to wait')


def _lone_image(error: Exception) -> str | None:
    return (f'{ALONE}: give a larger train_dataloader.batch_size, or train_dataloader.drop_last=True'
            if REFUSED in str(error) else None)


def _short_schedule(error: Exception) -> str | None:
    """mmengine's words for a part of the schedule that would begin after the end."""
    parts = re.search(r'end should be larger than begin, but got begin=(\d+), end=(\d+)', str(error))
    return parts and (f'param_scheduler has a part that begins at step {parts[1]}, and training ends at {parts[2]}: '
                      'train longer, or set param_scheduler to fit; --cfg-options param_scheduler=None trains '
                      'at one rate')


def _no_images(error: Exception) -> str | None:
    """NumPy's words, in mmengine, for a data set of nothing."""
    return ('a data set has no images: see data_root, ann_file and data_prefix of the dataset in train_dataloader, '
            'val_dataloader and test_dataloader' if str(error) == 'need at least one array to concatenate' else None)


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
