"""The command as a user types and stops it."""

import os
import signal
import time

import numpy as np
import pytest
from PIL import Image

from tests.processes import start_program
from tests.tiny import ROOT, run_tool

PICTURES = 160


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """Images for a second or two, and one that is none."""
    folder = tmp_path_factory.mktemp('pictures')
    pixels = np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    for index in range(PICTURES):
        Image.fromarray(np.roll(pixels, index, axis=1)).save(folder / f'{index}.jpg', quality=90)
    (folder / 'broken.jpg').write_text('no image')
    return folder


def tree(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope='module')
def whole(source, tmp_path_factory):
    """The copy, and what the command printed."""
    folder = tmp_path_factory.mktemp('whole') / 'copy'
    done = run_tool('tools/resize_dataset.py', source, folder, '--jobs', 2)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout.splitlines()


@pytest.mark.slow
def test_what_it_prints(source, whole):
    folder, lines = whole
    assert lines[0].startswith(f'left out: {source}/broken.jpg cannot be read (UnidentifiedImageError')
    assert lines[1].startswith(f'{PICTURES} images: ') and lines[1].endswith('; 0 other files, 1 left out')
    assert lines[2] == f'to train on it: --cfg-options train_dataloader.dataset.data_root={folder}'


@pytest.mark.slow
@pytest.mark.parametrize('number, code', [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_stopped_it_goes_on_to_the_same_bytes(source, whole, tmp_path, number, code):
    copy = tmp_path / 'copy'
    command = [str(ROOT / 'tools/resize_dataset.py'), str(source), str(copy), '--jobs', '2']
    output, errors = tmp_path / 'output', tmp_path / 'errors'
    last, kept = os.pipe()
    process = start_program(command, tmp_path, os.environ, output, errors)
    os.close(kept)
    until = time.monotonic() + 60
    while len(list(copy.glob('*.jpg'))) < 5:
        assert process.is_alive() and time.monotonic() < until
        time.sleep(0.005)
    os.kill(process.pid, number)
    process.join(60)
    assert os.read(last, 1) == b''  # until the last of its workers has ended, which keeps the other end
    os.close(last)
    assert process.exitcode == code and 'Traceback' not in errors.read_text()
    assert code != 130 or output.read_text() == 'stopped; the same command goes on\n'
    assert len(list(copy.glob('*.jpg'))) < PICTURES
    assert run_tool(*command).stdout.splitlines()[1] == whole[1][1]
    assert tree(copy) == tree(whole[0])


def test_wrong_numbers(source, tmp_path):
    done = run_tool('tools/resize_dataset.py', source, tmp_path / 'copy', '--quality', 0)
    assert done.returncode == 2 and done.stderr.endswith('must be at least 1, and --quality 1 to 100\n')
