"""A progress bar in place of the lines that a terminal need not scroll; elsewhere, lines where there would be none."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.dist import get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from lgd_mm.console.progress import Heartbeat
from lgd_mm.engine.log_interval import log_interval

#: Beginnings of the lines that the bar stands for; log files keep them.
SHOWN_BY_BAR = ('Epoch(train)', 'Iter(train)', 'Exp name: ')


@contextmanager
def progress_bar(runner: Runner, console: Console | None = None) -> Iterator[None]:
    """Show a bar with loss, images/s and the time left while the runner trains; without a terminal, a line that says
    where it is whenever the logger has been silent for long.

    The loss is the one that the logger prints, so between two prints nothing is read from the device.

    Args:
        runner (Runner): About to train.
        console (Console, optional): Where to draw. Defaults to None: standard output, if it is a terminal.
    """
    console = console or Console(force_interactive=None if sys.stdout.isatty() else False)
    if get_rank() != 0:
        yield
        return
    if not console.is_interactive:
        with lines(runner):
            yield
        return
    columns = (TextColumn('{task.description}'), BarColumn(), TextColumn('{task.percentage:3.0f}%'),
               TextColumn('{task.fields[told]}'))
    handlers = [handler for handler in runner.logger.handlers
                if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout]
    try:
        with Progress(*columns, console=console, refresh_per_second=4) as bars:
            runner.register_hook(ProgressHook(bars), priority='LOWEST')
            for handler in handlers:  # they have kept the stream that the bar is drawn on
                handler.setStream(sys.stdout)
                handler.addFilter(_beside_the_bar)
            yield
    finally:
        for handler in handlers:
            handler.setStream(sys.stdout)
            handler.removeFilter(_beside_the_bar)


@contextmanager
def lines(runner: Runner) -> Iterator[None]:
    """Print where the runner is whenever its logger has said nothing for long.

    Args:
        runner (Runner): About to train or to test.
    """
    place = PlaceHook()
    runner.register_hook(place, priority='LOWEST')
    with Heartbeat(lambda: place.line) as heartbeat:
        listener = _Listener(heartbeat)
        runner.logger.addHandler(listener)
        try:
            yield
        finally:
            runner.logger.removeHandler(listener)
            runner._hooks.remove(place)


class _Listener(logging.Handler):
    """Hears that a line is printed."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        super().__init__(logging.INFO)
        self.heartbeat = heartbeat

    def emit(self, record: logging.LogRecord) -> None:
        """One is."""
        self.heartbeat.spoken()


class PlaceHook(Hook):
    """Knows where a run is; nothing is asked of the device.

    Attributes:
        line (str): ``epoch 3/200  120/5005``, ``iteration 500/80,000``, or of a validation or a test ``12/50``.
    """

    def __init__(self) -> None:
        self.line = 'getting ready'

    def before_train_epoch(self, runner: Runner) -> None:
        """The first batch is on its way."""
        self._trained(runner, -1)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Any] | None = None) -> None:
        """One more."""
        self._trained(runner, batch_idx)

    def _trained(self, runner: Runner, batch_idx: int) -> None:
        within = isinstance(runner.train_loop, EpochBasedTrainLoop)
        batches = f'  {batch_idx + 1:,}/{len(runner.train_dataloader):,}' if within else ''
        self.line = _place(runner, 1 if batch_idx >= 0 else 0) + batches

    def after_train_epoch(self, runner: Runner) -> None:
        """Checkpoints are written and evaluations begin here."""
        self.line += ', done'

    def before_val_epoch(self, runner: Runner) -> None:
        """A validation begins."""
        self._evaluated('validation', -1, runner.val_dataloader)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """One more."""
        self._evaluated('validation', batch_idx, runner.val_dataloader)

    def before_test_epoch(self, runner: Runner) -> None:
        """A test begins."""
        self._evaluated('test', -1, runner.test_dataloader)

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """One more."""
        self._evaluated('test', batch_idx, runner.test_dataloader)

    def _evaluated(self, what: str, batch_idx: int, loader: Any) -> None:
        whole = batch_idx + 1 == len(loader)
        self.line = f'{what}  {batch_idx + 1:,}/{len(loader):,}' + (', computing the metrics' if whole else '')

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Training goes on."""
        self.line = 'validation, done'


def _beside_the_bar(record: logging.LogRecord) -> bool:
    """Whether a line tells what the bar does not."""
    line = record.getMessage()
    on_the_way = line.startswith(('Epoch(val)', 'Iter(val)')) and '  eta: ' in line
    return not on_the_way and not line.startswith(SHOWN_BY_BAR)


class ProgressHook(Hook):
    """Moves the bars of a training and of its validations.

    Args:
        bars (Progress): Whose tasks have a field ``told``.
    """

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self._told = ''

    def before_train(self, runner: Runner) -> None:
        """Begin where a resumed run goes on."""
        self._interval = log_interval(runner)
        self._training = self.bars.add_task(_place(runner, 0), total=runner.max_iters, completed=runner.iter, told='')

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Any] | None = None) -> None:
        """One more; the loss only where the logger has just fetched it."""
        if self.every_n_inner_iters(batch_idx, self._interval) or self.is_last_train_iter(runner):
            self._told = _losses(runner, self._interval)
        left = _clock(runner.message_hub.runtime_info.get('eta'))
        self.bars.update(self._training, completed=runner.iter + 1, description=_place(runner, 1),
                         told='  '.join(filter(None, [self._told, left])))

    def before_val_epoch(self, runner: Runner) -> None:
        """A second bar."""
        self._validation: TaskID = self.bars.add_task('validation', total=len(runner.val_dataloader), told='')

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """One more."""
        self.bars.update(self._validation, completed=batch_idx + 1)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """The logger prints the metrics."""
        self.bars.remove_task(self._validation)


def _place(runner: Runner, done: int) -> str:
    """``epoch 3/11`` or ``iteration 500/80,000``."""
    if isinstance(runner.train_loop, EpochBasedTrainLoop):
        return f'epoch {min(runner.epoch + 1, runner.max_epochs)}/{runner.max_epochs}'
    return f'iteration {runner.iter + done:,}/{runner.max_iters:,}'


def _losses(runner: Runner, interval: int) -> str:
    """Loss and speed since the last print."""
    told = []
    if 'train/loss' in runner.message_hub.log_scalars:
        told.append(f'loss {runner.message_hub.get_scalar("train/loss").mean(interval):.4g}')
    seconds = runner.message_hub.get_scalar('train/time').mean(interval)
    if batch := runner.cfg.train_dataloader.get('batch_size'):
        told.append(f'{batch * get_world_size() / seconds:,.0f} images/s')
    return '  '.join(told)


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ''
    minutes, rest = divmod(int(seconds), 60)
    return f'{minutes // 60}:{minutes % 60:02}:{rest:02} left'
