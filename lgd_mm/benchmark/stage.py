"""One stage of the quickstart: an ordinary run of ``tools/train.py`` that is skipped once it is done."""

import hashlib
import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from mmengine.config import Config

from lgd_mm.engine.preflight import latest_checkpoint
from lgd_mm.errors import UserError
from lgd_mm.benchmark.scalars import read_history
from lgd_mm.version import __version__

ROOT = Path(__file__).resolve().parents[2]
MARKER = 'stage.json'
OUTPUT = 'train.out'
#: Packages whose versions are kept with every figure.
PACKAGES = ('lgd_mm', 'torch', 'torchvision', 'open_clip_torch', 'onedl-mmengine', 'onedl-mmcv', 'onedl-mmpretrain',
            'onedl-mmdetection', 'onedl-mmsegmentation', 'numpy')

#: ``Epoch(train)  [3][50/93]  ...`` or ``Iter(train) [ 50/300]  ...`` of mmengine's log.
PROGRESS = re.compile(r'(?:Epoch|Iter)\((train|val)\)\s+(?:\[\s*(\d+)\])?\[\s*(\d+)/(\d+)\]')
LOSS = re.compile(r'\bloss: ([\d.]+)')


@dataclass(frozen=True)
class StageProgress:
    """Where a running stage is: share done in [0, 1] and its latest loss."""

    done: float
    loss: float | None


@dataclass(frozen=True)
class Stage:
    """What to run.

    Args:
        name (str): ``'pretrain'``, ``'mask-rcnn'`` or ``'upernet'``.
        label (str): Row of the table it belongs to.
        seed (int): Of the run.
        config (Path): Config file.
        work_dir (Path): Its folder.
        options (tuple[str, ...]): ``KEY=VALUE`` overrides.
        flags (tuple[str, ...]): Further arguments of ``tools/train.py``.
        student (Path, optional): Student to start from. Defaults to None.
        inputs (tuple[Path, ...]): Further files that decide the outcome. Defaults to none.
        metrics (tuple[str, ...]): Evaluation metrics a finished run has logged. Defaults to none.
    """

    name: str
    label: str
    seed: int
    config: Path
    work_dir: Path
    options: tuple[str, ...]
    flags: tuple[str, ...] = ()
    student: Path | None = None
    inputs: tuple[Path, ...] = ()
    metrics: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """The command a person would type at the root of the repository."""
        student = ['--student', str(self.student)] if self.student else []
        return [
            'tools/train.py',
            str(self.config), '--work-dir',
            str(self.work_dir), *student, *self.flags, '--cfg-options', *self.options
        ]

    def fingerprint(self) -> str:
        """Changes when the config, the options, a file the stage starts from or the package's version does."""
        config = Config.fromfile(ROOT / self.config)
        digest = hashlib.sha256(config.pretty_text.encode())
        digest.update(' '.join([*self.command, __version__]).encode())
        for file in (*self.inputs, *([self.student] if self.student else [])):
            digest.update(file.read_bytes() if file.is_file() else b'missing')
        return digest.hexdigest()

    def record(self) -> dict | None:
        """What the finished stage left, or None."""
        marker = self.work_dir / MARKER
        if not marker.is_file():
            return None
        record = json.loads(marker.read_text())
        whole = record['done'] and latest_checkpoint(str(self.work_dir)) is not None
        return record if whole and record['fingerprint'] == self.fingerprint() else None

    def run(self, on_progress: Callable[[StageProgress], None]) -> dict:
        """Run or go on with the stage.

        Args:
            on_progress (Callable[[StageProgress], None]): Called with each log line of training.

        Returns:
            dict: ``name``, ``label``, ``seed``, ``command``, ``work_dir``, ``metrics``, and
            ``seconds`` over all its starts.

        Raises:
            UserError: If the run failed; the sentence names its log.
        """
        fingerprint, marker = self.fingerprint(), self.work_dir / MARKER
        started = json.loads(marker.read_text()) if marker.is_file() else {}
        if started.get('fingerprint') != fingerprint:
            started = dict(fingerprint=fingerprint, done=False, seconds=0.0)
            _clear(self.work_dir)
            write_json(marker, started)
        begin = time.monotonic()
        try:
            self._train(on_progress)
        finally:
            started['seconds'] += time.monotonic() - begin
            write_json(marker, started)
        metrics = last_metrics(self.work_dir)
        lacking = [name for name in self.metrics if name not in metrics]
        if lacking:
            raise UserError(f'{self.name} of "{self.label}" ended without measuring {", ".join(lacking)}: see '
                            f'{self.work_dir / OUTPUT}, then remove {self.work_dir} to run it anew')
        record = dict(
            started,
            done=True,
            name=self.name,
            label=self.label,
            seed=self.seed,
            command=' '.join(self.command),
            work_dir=str(self.work_dir),
            metrics=metrics,
            **environment())
        write_json(marker, record)
        return record

    def _train(self, on_progress: Callable[[StageProgress], None]) -> None:
        """Run ``tools/train.py``, resuming where there is a checkpoint; its output goes to ``train.out``."""
        epochs = Config.fromfile(ROOT / self.config).train_cfg.get('max_epochs')
        command = [sys.executable, *self.command, '--resume']
        output = self.work_dir / OUTPUT
        with output.open('a') as log, subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    log.write(line)
                    if (progress := parse_progress(line, epochs)) is not None:
                        on_progress(progress)
            except BaseException:  # a trainer left alone would go on in the same folder as the next call's
                process.terminate()
                process.wait()
                raise
        if process.returncode < 0:
            raise UserError(f'{self.name} of "{self.label}" was stopped by signal {-process.returncode}: run the same '
                            'command again to go on')
        if process.returncode:
            tail = ''.join(output.read_text().splitlines(keepends=True)[-15:])
            raise UserError(f'{self.name} of "{self.label}" failed; its log {output} ends with:\n{tail}')


def parse_progress(line: str, epochs: int | None) -> StageProgress | None:
    """Read one line of mmengine's log; None if it tells nothing of training."""
    match = PROGRESS.search(line)
    if not match or match[1] != 'train':
        return None
    share = int(match[3]) / int(match[4])
    done = (int(match[2]) - 1 + share) / epochs if match[2] and epochs else share
    loss = LOSS.search(line)
    return StageProgress(done, float(loss[1]) if loss else None)


def environment() -> dict[str, dict]:
    """What a figure was measured with: ``versions`` and ``machine``."""
    return dict(
        versions={name: version(name) for name in PACKAGES} | {'python': platform.python_version()},
        machine=dict(
            platform=platform.platform(),
            processor=_processor(),
            threads=torch.get_num_threads(),
            gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            date=time.strftime('%Y-%m-%d')))


def _processor() -> str:
    """The processor's name; Linux tells it in /proc/cpuinfo only."""
    cpuinfo = Path('/proc/cpuinfo')
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = (line.split(':', 1)[1].strip() for line in lines if line.startswith('model name'))
    return next(names, platform.processor() or platform.machine())


def last_metrics(work_dir: Path) -> dict[str, float]:
    """The last value of every evaluation metric in a run's logs."""
    metrics: dict[str, float] = {}
    for record in read_history(work_dir).evaluations:
        metrics.update({key: value for key, value in record.items() if '/' in key or key == 'mIoU'})
    return metrics


def _clear(work_dir: Path) -> None:
    """Set an older run of this stage, of other settings, aside."""
    if work_dir.is_dir() and any(work_dir.iterdir()):
        number = 1
        while (aside := work_dir.with_name(f'{work_dir.name}.old{number}')).exists():
            number += 1
        work_dir.rename(aside)
        print(f'{work_dir} was made with other settings: set aside as {aside.name}')
    work_dir.mkdir(parents=True, exist_ok=True)


def write_json(path: Path, content: dict) -> None:
    """Write a JSON file whole or not at all."""
    part = path.with_suffix('.part')
    part.write_text(json.dumps(content, indent=1))
    part.replace(path)
