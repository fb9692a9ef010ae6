"""The progress bar: what a terminal shows, and that nothing changes without one."""

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from rich.console import Console

from lgd_mm.console.progress import Heartbeat
from lgd_mm.engine.progress import PlaceHook, ProgressHook, progress_bar
from tests.tiny import write_images, write_lgd_config


def tiny_runner(folder: Path) -> Runner:
    """About to train two epochs of three iterations; built within a test, whose standard output its logger keeps."""
    write_images(folder / 'pictures', 12)
    cfg = Config.fromfile(write_lgd_config(folder, folder / 'pictures', train_cfg=dict(max_epochs=2), custom_hooks=[],
                                           default_hooks=dict(logger=dict(interval=2))))
    cfg.work_dir, cfg.launcher, cfg.experiment_name = str(folder / 'run'), 'none', folder.name
    return Runner.from_cfg(cfg)


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)


def test_a_terminal_shows_a_bar_instead_of_lines(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    runner = tiny_runner(tmp_path)
    console = terminal()
    handler = runner.logger.handlers[0]
    filters = list(handler.filters)
    with progress_bar(runner, console):
        runner.train()
    drawn = re.sub(r'\x1b\[[0-9;?]*[a-zA-Z]', '', console.file.getvalue())
    bars = [line for line in re.split('[\r\n]+', drawn) if line.startswith('epoch')]
    loss = runner.message_hub.get_scalar('train/loss').mean(2)
    assert re.search(rf'epoch 2/2 .*100% loss {loss:.4g}  [\d,]+ images/s  0:00:00 left', bars[-1])
    assert 'Saving checkpoint at 2 epochs' in drawn
    everywhere = drawn + capsys.readouterr().out
    assert 'Epoch(train)' not in everywhere
    log = next(Path(runner.work_dir).glob('*/*.log')).read_text()
    assert log.count('Epoch(train)') == 2, 'log files keep the lines'
    assert (handler.stream, handler.filters) == (sys.stdout, filters)


def test_an_error_gives_the_terminal_back(tmp_path: Path) -> None:
    runner = tiny_runner(tmp_path)
    before = sys.stdout
    with pytest.raises(KeyboardInterrupt), progress_bar(runner, terminal()):
        assert sys.stdout is not before
        raise KeyboardInterrupt
    assert sys.stdout is before
    assert runner.logger.handlers[0].stream is before


def test_without_a_terminal_lines_say_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each step, whatever the logger prints; its lines put the next one off, and nothing is asked of the device."""
    made, spoken, seen = [], [], []

    class Now(Heartbeat):
        def __init__(self, where: Callable[[], str]) -> None:
            super().__init__(where)
            made.append(where)

        def spoken(self) -> None:
            spoken.append(True)

    class Look(Hook):
        def _look(self, *args: object, **kwargs: object) -> None:
            seen.append(made[0]())

        before_train = before_train_epoch = after_train_iter = after_train_epoch = _look

    monkeypatch.setattr('lgd_mm.engine.progress.Heartbeat', Now)
    runner = tiny_runner(tmp_path)
    with progress_bar(runner):
        runner.register_hook(Look(), priority='LOWEST')
        runner.train()
    assert seen == ['getting ready', *(line for epoch in '12' for line in (
        f'epoch {epoch}/2  0/3', *(f'epoch {epoch}/2  {batch}/3' for batch in '123'), f'epoch {epoch}/2  3/3, done'))]
    assert len(spoken) >= 2, 'the logger printed two lines of losses'
    assert not any(isinstance(hook, PlaceHook) for hook in runner.hooks)


@pytest.mark.parametrize('what', ['val', 'test'])
def test_validations_and_tests_say_where_they_are(what: str) -> None:
    place, loader = PlaceHook(), range(1200)
    runner = SimpleNamespace(val_dataloader=loader, test_dataloader=loader)
    name = dict(val='validation', test='test')[what]
    getattr(place, f'before_{what}_epoch')(runner)
    assert place.line == f'{name}  0/1,200'
    getattr(place, f'after_{what}_iter')(runner, 1100)
    assert place.line == f'{name}  1,101/1,200'
    getattr(place, f'after_{what}_iter')(runner, 1199)
    assert place.line == f'{name}  1,200/1,200, computing the metrics'


def test_without_a_terminal_nothing_changes(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    runner = tiny_runner(tmp_path)
    hooks = list(runner.hooks)
    with progress_bar(runner):
        runner.logger.info('Epoch(train) one line')
    assert runner.hooks == hooks and not any(isinstance(hook, ProgressHook) for hook in hooks)
    assert 'Epoch(train) one line' in capsys.readouterr().out
