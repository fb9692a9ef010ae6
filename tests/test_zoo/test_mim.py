"""MIM's own commands on the package as a wheel holds it, and on the checkout of an editable install.

MIM is told where the package lies: 0.5.1 takes the folder of the first line in RECORD, which pip and uv sort, and for a
wheel of lgd_mm that is ``lgd_mm-VERSION.dist-info``. What it starts, tools/train.py and tools/test.py, runs in this
process.
"""

import contextlib
import io
import runpy
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import mim.commands.search
import mim.utils
import mmpretrain
import pytest
import torch
import yaml
from click.testing import CliRunner
from mim.cli import cli

from lgd_mm.io.safe_load import load_checkpoint_file
from tests.tiny import ROOT

SLIM = dict(stem_channels=8, base_channels=8)


CHECK_OUTPUT = subprocess.check_output


def run_here(command: list[str] | str, **kwargs: object) -> bytes:
    """Run a Python file as ``subprocess`` would, and return what it prints; its failure is the test's."""
    if command[0] != sys.executable:  # mmengine asks the compiler for its version
        return CHECK_OUTPUT(command, **kwargs)
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(sys, 'argv', command[1:])
        patch.setenv('LOCAL_RANK', '0')
        try:
            runpy.run_path(command[1], run_name='__main__')
        except SystemExit as end:
            assert not end.code
    return printed.getvalue().encode()


@pytest.fixture
def mim_command(monkeypatch):
    """Runs a command line of MIM, with the package at a folder."""

    def run(package: Path, *arguments: object) -> str:
        for module in (mim.utils, mim.commands.search):
            monkeypatch.setattr(module, 'get_installed_path', lambda name: str(package))
        done = CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    monkeypatch.setattr(subprocess, 'check_output', run_here)
    monkeypatch.setattr(subprocess, 'check_call', lambda *args, **kwargs: len(run_here(*args)) * 0)
    return run


def test_train_and_test_by_the_name_of_the_config(mim_command, built_package, pictures, pretrained, tmp_path):
    loaders = [f'{split}_dataloader.{key}' for split in ('train', 'val', 'test') for key in (
        'num_workers=0', 'persistent_workers=False', 'batch_size=4', f'dataset.data_root={pictures}',
        'dataset.data_prefix=')]
    options = ['--cfg-options', *loaders, *(f'model.backbone.{key}={value}' for key, value in SLIM.items()),
               'model.head.num_classes=2', 'train_cfg.max_epochs=1', 'default_hooks.checkpoint.interval=1']
    config, run = 'linear_r18_folder.py', tmp_path / 'run'
    told = mim_command(built_package, 'train', 'lgd_mm', config, '--gpus', 0, '--student',
                       pretrained / 'student.safetensors', '--work-dir', run, *options)
    assert f'we find the config file in codebase lgd_mm, will use {built_package}/.mim/configs/classification' in told
    assert 'Training finished successfully' in told
    state = load_checkpoint_file(run / 'epoch_1.pth')['state_dict']
    student = load_checkpoint_file(pretrained / 'student.pth')['state_dict']
    assert torch.equal(state['backbone.conv1.weight'], student['backbone.conv1.weight'])
    told = mim_command(built_package, 'test', 'lgd_mm', config, '--checkpoint', run / 'epoch_1.pth', '--work-dir',
                       tmp_path / 'test', *options)
    assert 'Testing finished successfully' in told
    assert 'accuracy/top1' in next((tmp_path / 'test').glob('*/*.json')).read_text()


def test_an_editable_install_is_the_checkout(mim_command, monkeypatch):
    """A config is given by its path: MIM would find each name twice, also below ``lgd_mm/.mim``."""
    started = []
    monkeypatch.setattr(subprocess, 'check_call', lambda command, **kwargs: started.append(command) or 0)
    config = ROOT / 'configs/lgd/r18_pretrain.py'
    mim_command(ROOT, 'train', 'lgd_mm', config)
    mim_command(ROOT, 'test', 'lgd_mm', config, '--checkpoint', 'epoch_1.pth')
    for tool, command in zip(('train', 'test'), started):
        script = Path(command[1])
        assert command[2] == str(config) and script.samefile(ROOT / 'tools' / f'{tool}.py')


def test_search_lists_every_model(mim_command, built_package):
    told = mim_command(built_package, 'search', 'lgd_mm', '--field', 'config', 'status')
    names = [name for name in mmpretrain.list_models('lgd-') if mmpretrain.ModelHub.has(name)]
    assert names and all(f'config id: {name}\n' in told for name in names)
    assert told.count('no weights published') == len(names)


def test_download_once_there_are_weights(mim_command, built_package, pretrained, tmp_path):
    """A config and a checkpoint that fit ``get_model``, from a published URL."""
    package = tmp_path / 'lgd_mm'
    shutil.copytree(built_package / '.mim', package / '.mim')
    server = HTTPServer(('127.0.0.1', 0), partial(SimpleHTTPRequestHandler, directory=str(pretrained)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    metafile = package / '.mim/configs/students/metafile.yml'
    content = yaml.safe_load(metafile.read_text())
    (entry, ) = [model for model in content['Models'] if model['Name'] == 'lgd-resnet18_headless']
    entry['Weights'] = f'http://127.0.0.1:{server.server_port}/student.pth'
    metafile.write_text(yaml.safe_dump(content))
    try:
        mim_command(package, 'download', 'lgd_mm', '--config', 'lgd-resnet18_headless', '--dest', tmp_path / 'got')
    finally:
        server.shutdown()
    assert sorted(path.name for path in (tmp_path / 'got').iterdir()) == ['lgd-resnet18_headless.py', 'student.pth']
    model = mmpretrain.get_model(
        str(tmp_path / 'got/lgd-resnet18_headless.py'), pretrained=str(tmp_path / 'got/student.pth'), backbone=SLIM)
    assert model.extract_feat(torch.rand(1, 3, 64, 64))[0].shape == (1, 64)
