"""The command as a user types and stops it."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

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


def test_what_it_prints(source, whole):
    folder, lines = whole
    assert lines[0].startswith(f'left out: {source}/broken.jpg cannot be read (UnidentifiedImageError')
    assert lines[1].startswith(f'{PICTURES} images: ') and lines[1].endswith('; 0 other files, 1 left out')
    assert lines[2] == f'to train on it: --cfg-options train_dataloader.dataset.data_root={folder}'


@pytest.mark.slow
@pytest.mark.parametrize('number, code', [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_stopped_it_goes_on_to_the_same_bytes(source, whole, tmp_path, number, code):
    copy = tmp_path / 'copy'
    command = [sys.executable, str(ROOT / 'tools/resize_dataset.py'), str(source), str(copy), '--jobs', '2']
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 60
        while len(list(copy.glob('*.jpg'))) < 5:
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.005)
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == code and 'Traceback' not in errors
    assert code != 130 or output == 'stopped; the same command goes on\n'
    assert len(list(copy.glob('*.jpg'))) < PICTURES
    assert run_tool(*command[1:]).stdout.splitlines()[1] == whole[1][1]
    assert tree(copy) == tree(whole[0])


def test_wrong_numbers(source, tmp_path):
    done = run_tool('tools/resize_dataset.py', source, tmp_path / 'copy', '--quality', 0)
    assert done.returncode == 2 and done.stderr.endswith('must be at least 1, and --quality 1 to 100\n')
