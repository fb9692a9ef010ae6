"""Checks and runs the commands of a page in a small checkout, in this process: a start of Python takes many seconds."""

import argparse
import inspect
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, OPTIM_WRAPPERS

from lgd_mm.api.overrides import READ_TOO
from lgd_mm.cli import cli
from tests.isolation import forget_runs
from tests.test_docs.blocks import Block, Command, logical_lines
from tests.tiny import ROOT


class Parsed(Exception):
    """A tool has understood its arguments."""


class Page:
    """Runs the blocks of one page, in order.

    Args:
        checkout (Path): A small checkout, where the page's commands begin.
        patch (pytest.MonkeyPatch): Of the page.

    Attributes:
        only_checked (bool): Nothing runs.
    """

    only_checked = False

    def __init__(self, checkout: Path, patch: pytest.MonkeyPatch) -> None:
        self.checkout = checkout
        self.folder = checkout
        self.patch = patch
        self.names: dict[str, object] = {'__name__': 'page'}

    def run(self, block: Block) -> None:
        """Run a block, or check it if it says why it cannot run."""
        self.folder = self.checkout
        self.patch.chdir(self.folder)
        if not block.language:
            return
        if block.language == 'python':
            self._run_python(block)
            return
        for command in map(Command.parse, logical_lines(block.text)):
            self.check(command)
            if not block.reason and not self.only_checked:
                self._run_command(command)

    def _run_python(self, block: Block) -> None:
        named = re.match(r'# (\S+\.py)\n', block.text)
        code = compile('\n' * (block.line - 1) + block.text, str(block.page), 'exec')
        if named:  # a config or a module, for the commands that follow
            path = self.folder / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding='utf-8')
            if '_base_' in block.text:
                self._read_config(path)
        elif not block.reason and not self.only_checked:
            forget_runs()
            with pytest.MonkeyPatch.context() as patch:
                patch.syspath_prepend(self.folder)  # as a person's own Python has it
                exec(code, self.names)

    def _read_config(self, path: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(self.folder)  # for the page's own modules
            assert Config.fromfile(path).model

    def check(self, command: Command) -> None:
        """Is what the command names there, does the tool take its arguments, and has the config the keys?"""
        words = command.words
        if not words:
            subprocess.run(['bash', '-nc', command.line], check=True)
            return
        if words[0] == 'make':
            subprocess.run(['make', '-n', *words[1:]], cwd=ROOT, check=True, capture_output=True)
            return
        if words[0].endswith('.sh'):
            assert os.access(ROOT / words[0], os.X_OK), f'{words[0]} cannot be executed'
        if words[0] == 'tools/make_env.sh':
            assert all((ROOT / 'requirements' / f'{extra}.txt').is_file() for extra in words[1:])
            return
        if words[0] == 'lgd-mm':
            check_front_door(*words[1:])
            return
        if words[0] == 'aws':
            return
        if words[0] in ('sky', 'kubectl'):
            assert (ROOT / words[-1]).is_file()
            return
        tool = command.tool()
        assert tool, f'no rule says how to check this command: {command.line}'
        arguments = parse(*tool)
        if 'config' in arguments and arguments.get('cfg_options'):
            check_options(self._published(arguments['config']), arguments['cfg_options'])

    def _run_command(self, command: Command) -> None:
        tool = command.tool()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in command.variables.items():
                patch.setenv(name, value)
            if 'PYTHONPATH' in command.variables:
                patch.syspath_prepend(self.folder / command.variables['PYTHONPATH'])
            self._run_program(command, tool, patch)

    def _run_program(self, command: Command, tool: list[str] | None, patch: pytest.MonkeyPatch) -> None:
        if tool:
            forget_runs()
            call(patch, *(word for word in tool if word != '--amp'))  # which makes a step on a CPU four times as long
            if tool[0] == 'tools/train.py':
                self._name_last_checkpoint(parse(*tool))
            return
        if command.words and command.words[0] == 'make':
            return  # it would set up an environment: its rule was checked
        if command.words and command.words[0] == 'lgd-mm':
            forget_runs()
            cli.main(shortened(*command.words[1:]), prog_name='lgd-mm', standalone_mode=False)
            return
        script = f'set -euo pipefail\n{command.line}\npwd'
        done = subprocess.run(['bash', '-c', script], cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.folder = Path(done.stdout.splitlines()[-1])
        self.patch.chdir(self.folder)

    def _published(self, config: str) -> Path:
        """A config as it is published, not as it was made small; of the page's own, that one."""
        return ROOT / config if (ROOT / config).is_file() else self.checkout / config

    def _name_last_checkpoint(self, arguments: dict) -> None:
        """Give the checkpoint of a shortened run the name it has after the whole run, which pages speak of."""
        whole = Config.fromfile(self._published(arguments['config'])).train_cfg
        folder = Path(arguments['work_dir'] or Path('work_dirs', Path(arguments['config']).stem))
        last = f'epoch_{whole.max_epochs}.pth' if 'max_epochs' in whole else f'iter_{whole.max_iters}.pth'
        found = sorted(folder.glob('*_*.pth'))
        if found and not (folder / last).exists():
            os.link(found[-1], folder / last)


def call(patch: pytest.MonkeyPatch, script: str, *arguments: str) -> None:
    """Run a script of the checkout as ``python SCRIPT ARGUMENTS`` would."""
    patch.setattr(sys, 'argv', [script, *arguments])
    patch.setattr(sys, 'path', [str((ROOT / script).parent), *sys.path])
    try:
        runpy.run_path(str(ROOT / script), run_name='__main__')
    except SystemExit as end:
        assert not end.code, f'python {script} {" ".join(arguments)} ended with {end.code}'


def parse(script: str, *arguments: str) -> dict:
    """What a script makes of its arguments, without running it."""
    assert (ROOT / script).is_file(), f'there is no {script}'
    with pytest.MonkeyPatch.context() as patch:
        for name in ('parse_args', 'parse_intermixed_args'):
            understand = getattr(argparse.ArgumentParser, name)

            def parse_and_stop(parser: argparse.ArgumentParser, understand: Callable = understand) -> None:
                raise Parsed(vars(understand(parser)))

            patch.setattr(argparse.ArgumentParser, name, parse_and_stop)
        patch.setattr(sys, 'argv', [script, *arguments])
        patch.setattr(sys, 'path', [str((ROOT / script).parent), *sys.path])
        try:
            runpy.run_path(str(ROOT / script), run_name='__main__')
        except Parsed as parsed:
            return parsed.args[0]
        except SystemExit as end:
            raise AssertionError(f'{script} does not take {" ".join(arguments)}') from end
    raise AssertionError(f'{script} has no arguments')


def check_front_door(command: str, *arguments: str) -> None:
    """Does ``lgd-mm COMMAND`` take these arguments?"""
    cli.commands[command].make_context(command, list(_of_one_process(arguments)))


def shortened(command: str, *arguments: str) -> list[str]:
    """The arguments of ``lgd-mm`` for a machine of a test: one process, an epoch, and the teacher that needs no
    download."""
    words = _of_one_process(arguments)
    if command in ('pretrain', 'finetune'):
        words = [*words, '--epochs', '1']  # of an option given twice, click takes the last
    if command == 'pretrain' and '--teacher' not in words:
        words += ['--teacher', 'shapes']
    return [command, *words]


def _of_one_process(arguments: tuple[str, ...]) -> list[str]:
    words = list(arguments)
    if '--gpus' in words:
        at = words.index('--gpus')
        del words[at:at + 2]
    return words


def check_options(config: Path, options: dict) -> None:
    """mmengine adds a key that nothing reads without a word: every key of a page must be one that the config has, or
    that the class it belongs to takes."""
    cfg = Config.fromfile(config)
    for key in options:
        *path, last = key.split('.')
        node = cfg
        for part in path:
            node = node[int(part) if part.isdigit() else part]
        assert last in node or last in takes(node) or key in READ_TOO[''], f'{config.name} has no key {key}'


def takes(node: dict) -> set[str]:
    """The arguments of the class that a part of a config names."""
    kinds = (registry.get(node['type']) for registry in (MODELS, DATASETS, OPTIM_WRAPPERS)) if 'type' in node else ()
    kind = next(filter(None, kinds), None)
    classes = inspect.getmro(kind) if kind else ()
    return {name for one in classes for name in inspect.signature(one.__init__).parameters}
