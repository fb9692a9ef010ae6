"""A copy of a folder of images whose short sides are smaller, so that training reads and decodes less."""

import json
import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Thread

from rich.console import Console

from lgd_mm.console.progress import track
from lgd_mm.errors import UserError
from lgd_mm.io.files import write_text
from lgd_mm.io.image_files import files_below
from lgd_mm.io.texts import read_json
from lgd_mm.preparation.links import refuse_file_links, refuse_links
from lgd_mm.preparation.prepare import recognise
from lgd_mm.preparation.resize.file import Copied, Settings, copy_file, is_image
from lgd_mm.preparation.spec import Pictures

#: In the copy: its settings, by which the files in it are known to be its own.
MARK = '.resized.json'
#: Files that a process takes at a time.
CHUNK = 16
#: Processes: all are started at once.
MOST_JOBS = 256


@dataclass
class Summary:
    """What is in the copy, in images, other files and bytes of images, and what was left out."""

    images: int = 0
    others: int = 0
    before: int = 0
    after: int = 0
    unreadable: list[Copied] = field(default_factory=list)

    def add(self, copied: Copied) -> None:
        """Count a file."""
        if copied.reason:
            self.unreadable.append(copied)
        elif is_image(copied.path):
            self.images += 1
            self.before += copied.before
            self.after += copied.after
        else:
            self.others += 1


def resize_dataset(source: Path, target: Path, short_side: int, quality: int, jobs: int, console: Console) -> Summary:
    """Copy a tree of files under the same names: images smaller, all others as they are.

    Each file appears whole or not at all, and none is overwritten: stopped at any moment, the same call goes on.

    Args:
        source (Path): Folder; links to other folders, and to images, are followed.
        target (Path): Missing, empty, or a copy that was begun with the same settings.
        short_side (int): Pixels; smaller images are copied as they are.
        quality (int): Of JPEG, WebP and AVIF, 1 to 100.
        jobs (int): Number of processes.
        console (Console): Shows the progress.

    Returns:
        Summary: Of the whole copy, also of what was there.

    Raises:
        UserError: If one folder cannot be the copy of the other, a link leads to what is no image or out of the copy,
            or a file cannot be read or written for a reason that is not its own.
    """
    _refuse(source, target)
    if jobs > MOST_JOBS:
        raise UserError(f'--jobs is {jobs}, and {MOST_JOBS} processes are the most that are started: give as many as '
                        'there are cores')
    settings = Settings(str(source.resolve()), short_side, quality)
    try:
        paths = sorted(os.path.relpath(path, source) for path in files_below(source))
        if not any(map(is_image, paths)):
            raise UserError(f'{source} has no images: give the folder that they lie in or below')
        refuse_file_links(source, *(source / path for path in paths if not is_image(path)))
        refuse_links(target, *sorted({target / Path(path).parent for path in paths}))
        _mark(target, settings)
        return _copy_all(paths, target, settings, jobs, console)
    except OSError as error:
        raise UserError(f'{error.filename or target} cannot be read or written ({error.strerror or error}): free disk '
                        'space or correct the permissions there; the same command goes on') from error
    except BrokenProcessPool as error:
        raise UserError(f'one of {jobs} processes was killed, perhaps for want of memory: give fewer with --jobs; the '
                        'same command goes on') from error


def _refuse(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise UserError(f'{source} is no folder: give that of the images')
    if target.resolve().is_relative_to(source.resolve()):
        raise UserError(f'{target} lies in {source}: give a folder outside it')
    spec = recognise(source)
    labelled = [part.path for part in spec.parts if not isinstance(part, Pictures)] if spec else []
    if spec and labelled:
        images = next(part.path for part in spec.parts if isinstance(part, Pictures))
        raise UserError(f'{source} holds {spec.title}, whose {labelled[0]} would not fit smaller images: give a '
                        f'folder of images alone, such as {spec.tree(source) / images}')


def _mark(target: Path, settings: Settings) -> None:
    """Make the folder this call's own, or see that it is."""
    mark, content = target / MARK, settings._asdict()
    if mark.is_file():
        known = read_json(mark)
        if known != content:
            told = ', '.join(f'{key} {value}' for key, value in known.items()) if isinstance(known, dict) else known
            raise UserError(f'{target} is a copy with other settings ({told}): give the same, or another folder')
        return
    if target.exists() and not (target.is_dir() and all(path.name.startswith('.') for path in target.iterdir())):
        raise UserError(f'{target} holds other files: give a new folder, nothing is overwritten')
    target.mkdir(parents=True, exist_ok=True)
    write_text(mark, json.dumps(content, indent=1))


def _copy_all(paths: Sequence[str], target: Path, settings: Settings, jobs: int, console: Console) -> Summary:
    summary = Summary()
    pool = ProcessPoolExecutor(jobs, initializer=_end_with_the_caller, initargs=(os.getpid(), ))
    try:
        found = pool.map(partial(copy_file, target, settings), paths, chunksize=CHUNK)  # forks before the bar's thread
        for copied in track(found, 'files', len(paths), console):
            summary.add(copied)
    finally:
        pool.shutdown(cancel_futures=True)
    return summary


def _end_with_the_caller(caller: int) -> None:
    """In a process of the pool: leave Ctrl-C to the caller, and do not wait for work from one that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_watch, args=(caller, ), daemon=True).start()


def _watch(caller: int) -> None:
    while os.getppid() == caller:
        time.sleep(1)
    os._exit(1)
