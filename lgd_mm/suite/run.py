"""One run of a suite: an ordinary call of ``tools/train.py`` or ``tools/test.py``, skipped once it is done."""

import functools
import hashlib
import json
import os
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import UserError
from lgd_mm.io.digests import file_bytes, file_digest, folder_digest
from lgd_mm.io.lock import LOCK_OF_RUN, alone_in_run
from lgd_mm.moved import first_name
from lgd_mm.runs.checkpoints import latest_checkpoint
from lgd_mm.runs.environment import HARDWARE, decisive_versions, environment
from lgd_mm.runs.measures import gpu_name, images_per_second, last_metrics, peak_memory
from lgd_mm.suite.definition import PRETRAINING, ROOT, resolved
from lgd_mm.suite.failure import failure_reason
from lgd_mm.suite.files import Damaged, finite, read_record, write
from lgd_mm.suite.images import RECORD, with_images
from lgd_mm.suite.launcher import LOCK, Launcher, end_orphan
from lgd_mm.suite.progress import Progress, parse_progress
from lgd_mm.suite.schema import VERSION, Machine, Record, Start

STUDENT = 'student.safetensors'
OUTPUT = 'output.log'
#: Seconds between two looks at a run's output.
PAUSE = 0.5


@dataclass(frozen=True)
class Run:
    """What to run.

    Args:
        entry (str): Label of its row.
        task (str): ``'pre-training'`` or a task's name.
        seed (int): Of the run.
        config (Path): Config file.
        work_dir (Path): Its folder.
        options (tuple[str, ...]): ``KEY=VALUE`` overrides.
        flags (tuple[str, ...]): Further arguments of the tool.
        student (Path, optional): File that training starts from.
        checkpoint (Path, optional): File that is only tested, or the work dir whose latest checkpoint is.
        inputs (tuple[Path, ...]): Further files or folders that decide the outcome.
        data (Path, optional): One of the inputs: a set of one's own, which takes the place of the config's.
        metrics (tuple[str, ...]): Evaluation metrics a finished run has logged.
        needs (tuple[Path, ...]): Work dirs of the runs that must be finished before.
        processes (int): That share the work, one on each GPU.
    """

    entry: str
    task: str
    seed: int
    config: Path
    work_dir: Path
    options: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    student: Path | None = None
    checkpoint: Path | None = None
    inputs: tuple[Path, ...] = ()
    data: Path | None = None
    metrics: tuple[str, ...] = ()
    needs: tuple[Path, ...] = ()
    processes: int = 1

    @property
    def title(self) -> str:
        """``LGD, UPerNet, seed 0``."""
        return f'{self.entry}, {self.task}, seed {self.seed}'

    @property
    def command(self) -> list[str]:
        """The command a person would type at the root of the repository, without ``python``."""
        tested = self._tested()
        tool = ['tools/train.py', self.config] if tested is None else ['tools/test.py', self.config, tested]
        student = ['--student', self.student] if self.student else []
        kept = [] if self.task == PRETRAINING else ['--log-samples']
        data = ['--data', self.data] if self.data else []
        given = [*student, *data, *self.flags, *kept]
        return list(map(str, [*tool, '--work-dir', self.work_dir, *given, '--cfg-options', *self.options]))

    def _tested(self) -> Path | None:
        """The checkpoint to test; before its run is finished, the work dir that will hold it."""
        if self.checkpoint is None or not self.checkpoint.is_dir():
            return self.checkpoint
        try:
            latest = latest_checkpoint(str(self.checkpoint))
        except UserError:  # it names one that was deleted since
            latest = None
        return self.checkpoint / latest.name if latest else self.checkpoint  # below the folder as it was given

    def hash(self) -> str:
        """Changes with the config, the options, the files the run starts from and the versions; not with any folder."""
        settings = [self.checkpoint is None, self._options_without_folders(), self.flags, decisive_versions()]
        if self.data:
            settings.append('data')
        if self.processes > 1:  # which share the batch; a single one is left out, as in the records of earlier versions
            settings.append(self.processes)
        digest = hashlib.sha256(_config_text(self.config).encode())
        digest.update(json.dumps(settings).encode())
        for file in filter(None, (*self.inputs, self.student, self._tested())):
            if file.is_file():
                file_bytes(digest, file)
            elif file in self.inputs and file.is_dir():
                digest.update(folder_digest(file).encode())
            else:
                digest.update(b'missing')
        return digest.hexdigest()

    def _options_without_folders(self) -> tuple[str, ...]:
        """The options, with the number of an input in place of its path: its content is hashed."""
        options = []
        for option in self.options:
            key, _, value = option.partition('=')
            for number, file in sorted(enumerate(self.inputs), key=lambda each: -len(str(each[1]))):
                if os.path.realpath(ROOT / value) == os.path.realpath(ROOT / file):
                    option = f'{key}={{input {number}}}'
                option = option.replace(str(file), f'{{input {number}}}')
            options.append(option)
        return tuple(options)

    def missing_input(self) -> Path | None:
        """The first of its inputs that is not there and no other run makes."""
        return next((file for file in self.inputs if file.parent not in self.needs and not file.exists()), None)

    def record(self) -> Record | None:
        """What the finished run left, or None.

        Raises:
            UserError: If it cannot be read, or has not measured what is asked for now.
        """
        try:
            record = read_record(self.work_dir / RECORD)
        except Damaged:  # execute() says so, and runs it again
            return None
        # A student is what others start from; checkpoints may be deleted to save disk space.
        lost = self.task == PRETRAINING and not (self.work_dir / STUDENT).is_file()
        if not isinstance(record, Record) or lost or record.hash != self.hash():
            return None
        self._check_measured(record.metrics)
        return record

    def _check_measured(self, metrics: dict[str, float | None]) -> None:
        lacking = [name for name in self.metrics if name not in metrics]
        if lacking:
            raise UserError(f'it ended without measuring {", ".join(lacking)}; see {self.work_dir / OUTPUT}')

    def execute(self, launcher: Launcher, on_progress: Callable[[Progress], None]) -> Record:
        """Run, or go on from the latest checkpoint.

        Args:
            launcher (Launcher): How and where.
            on_progress (Callable[[Progress], None]): Called with each log line of training.

        Returns:
            Record: As it is in its folder.

        Raises:
            UserError: If the run failed; ends with the last lines of its log.
        """
        tested = self._tested()
        if tested is not None and not tested.is_file():
            raise UserError(f'{tested} holds no checkpoint to test: put it back, or delete {tested / RECORD} and the '
                            'same command makes it anew')
        end_orphan(self.work_dir)
        with alone_in_run(self.work_dir):  # a person's command may be at work in it
            pass
        start = self._begin()
        begin = time.monotonic()
        try:
            resident = self._call(launcher, on_progress)
        finally:
            start.seconds += time.monotonic() - begin
            write(self.work_dir / RECORD, start)
        metrics = finite(last_metrics(self.work_dir))
        self._check_measured(metrics)
        here = launcher.partition is None  # otherwise what is known of this machine is not of the run's
        about = environment()
        about['machine'].update({} if here else dict.fromkeys(HARDWARE), gpu=gpu_name(self.work_dir))
        batch = resolved(self.config, self.options).get('train_dataloader') or {}
        memory, memory_of = peak_memory(self.work_dir, resident if here else None)
        record = Record(
            version=VERSION, hash=start.hash, seconds=start.seconds, entry=self.entry, task=self.task, seed=self.seed,
            command=shlex.join(self.command), work_dir=str(self.work_dir), metrics=metrics,
            images_per_second=images_per_second(self.work_dir, batch.get('batch_size', 1) * self.processes),
            peak_memory_mb=memory, memory_of=memory_of, versions=about['versions'],
            machine=Machine(**about['machine']))
        write(self.work_dir / RECORD, record)
        return with_images(record, self.work_dir)

    def _begin(self) -> Start:
        """Go on with what an earlier start of the same settings left, or set aside what is of others."""
        own_hash = self.hash()
        try:
            left = read_record(self.work_dir / RECORD)
            reason = f'{self.work_dir} was made with other settings or versions'
        except Damaged as error:
            left, reason = None, f'{error}; it is run again'
        if left is not None and left.hash == own_hash:
            return Start(own_hash, left.seconds, version=VERSION)
        _set_aside(self.work_dir, reason)
        start = Start(own_hash, version=VERSION)
        write(self.work_dir / RECORD, start)
        return start

    def _call(self, launcher: Launcher, on_progress: Callable[[Progress], None]) -> float:
        """Start the tool and watch its output until it ends; returns its largest resident memory in MiB."""
        config = resolved(self.config, self.options)
        epochs = (config.get('train_cfg') or {}).get('max_epochs')
        resume = [] if self.checkpoint or latest_checkpoint(str(self.work_dir)) is None else ['--resume']
        with launcher.start([*self.command, *resume], self.work_dir, self.work_dir / OUTPUT) as process:
            with (self.work_dir / OUTPUT).open(errors='replace') as output:
                output.seek(process.output_begins)
                while True:
                    ended = process.poll()
                    for line in output:
                        if (progress := parse_progress(line, epochs)) is not None:
                            on_progress(progress)
                    if ended:
                        break
                    time.sleep(PAUSE)
        if process.returncode < 0:
            raise UserError(f'it was stopped by signal {-process.returncode}; the same command goes on')
        if process.returncode:
            said = (self.work_dir / OUTPUT).read_bytes()[process.output_begins:]
            lines = said.decode(errors='replace').splitlines()
            reason = failure_reason(lines) or f'exit code {process.returncode}'
            raise UserError(f'{reason}; its log {self.work_dir / OUTPUT} ends with:', *lines[-15:])
        return process.resident


@functools.cache
def _config_text(config: Path) -> str:
    """A config; of weights that its model begins with, their content and not their folder; of modules that have moved,
    their first names, by which the finished runs of 0.1 are known."""
    cfg = resolved(config, ())
    imports = cfg.get('custom_imports') or {}
    if isinstance(imports.get('imports'), list):
        imports['imports'] = [first_name(name) for name in imports['imports']]
    _name_by_content(cfg.get('model'))
    return cfg.pretty_text.replace(str(ROOT), '')


def _name_by_content(node: Any) -> None:
    if isinstance(node, dict) and node.get('type') == 'Pretrained' and '://' not in str(node.get('checkpoint')):
        file = ROOT / str(node.get('checkpoint'))
        node['checkpoint'] = file_digest(file) if file.is_file() else file.name
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, (list, tuple)) else ():
        _name_by_content(child)


def _set_aside(work_dir: Path, reason: str) -> None:
    """Keep an older run of other settings or versions beside the new one."""
    if work_dir.is_dir() and any(path.name not in (LOCK, LOCK_OF_RUN) for path in work_dir.iterdir()):
        number = 1
        while (aside := work_dir.with_name(f'{work_dir.name}.old{number}')).exists():
            number += 1
        work_dir.rename(aside)
        print_rank0(f'{reason}: the folder is set aside as {aside.name}')
    work_dir.mkdir(parents=True, exist_ok=True)
