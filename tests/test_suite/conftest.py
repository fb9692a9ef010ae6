"""A suite on stand-ins for the tools."""

import io
import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from lgd_mm.suite.config import read_suite
from lgd_mm.suite.launcher import Launcher
from lgd_mm.suite.plan import choose
from lgd_mm.suite.runner import SuiteRunner


class FakeSuite:
    """Two entries and two tasks in a folder; ``settings`` go into its config."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = io.StringIO()
        (folder / 'train.py').write_text(
            "train_cfg = dict(max_iters=2)\ntrain_dataloader = dict(batch_size=8)\nmodel = dict(type='A')\n")
        self.settings = dict(
            title='Fake',
            work_dir=str(folder / 'runs'),
            seeds=[0, 1],
            tasks=[self.task('one'), self.task('two')],
            entries=[dict(label='random', without=['two']), self.made('LGD')])

    def task(self, name: str, **settings: object) -> dict:
        metrics = {'accuracy/top1': f'{name} top-1'}
        return dict(name=name, config=str(self.folder / 'train.py'), metrics=metrics, **settings)

    def made(self, label: str, **settings: object) -> dict:
        return dict(label=label, pretrain=str(self.folder / 'train.py'), **settings)

    @property
    def path(self) -> Path:
        path = self.folder / 'fake_suite.py'
        path.write_text(''.join(f'{key} = {value!r}\n' for key, value in self.settings.items()))
        return path

    def read(self):
        return read_suite(str(self.path))

    def runner(self, jobs: int = 1, **chosen: object) -> SuiteRunner:
        suite = self.read()
        launcher = Launcher(gpus=1, available=0, jobs=jobs)
        launcher.command = lambda command: [sys.executable, str(Path(__file__).with_name('fake_tool.py')), *command]
        return SuiteRunner(suite, choose(suite, **chosen), launcher, Console(file=self.output, width=200), 'make it')

    def record(self, run: str) -> dict:
        return json.loads((self.folder / 'runs' / run / 'run.json').read_text())


@pytest.fixture
def fake(tmp_path):
    return FakeSuite(tmp_path)
