"""A folder is there as a whole or not at all, whoever else makes it."""

import multiprocessing
import os
from pathlib import Path

import pytest

from lgd_mm.io.new_folder import UNFINISHED, new_folder

FORK = multiprocessing.get_context('fork')


def unfinished(folder):
    return [path for path in folder.iterdir() if path.name.endswith(UNFINISHED)]


def write_and_be_killed(target):
    with new_folder(target) as part:
        (part / 'half').touch()
        os._exit(9)


def test_what_a_killed_process_left_goes_and_nothing_else(tmp_path):
    """Not what lives, and nobody's folder of a similar name."""
    target = tmp_path / 'a [new] name'
    others = [f'{target.name}.part', f'.{target.name}.{"0" * 32}.part', f'.{target.name}.mine{UNFINISHED}']
    for name in others:
        (tmp_path / name).mkdir()
    child = FORK.Process(target=write_and_be_killed, args=(target, ))
    child.start()
    child.join()
    [left] = [path for path in unfinished(tmp_path) if (path / 'half').exists()]
    with new_folder(target) as lives:
        assert not left.exists()
        with new_folder(target) as part:  # of another one meanwhile
            assert lives.is_dir() and part != lives
            (part / 'whole').touch()
        (lives / 'late').touch()
        assert os.listdir(target) == ['whole']
        with pytest.raises(OSError, match='not empty'), new_folder(target) as third:
            (third / 'later').touch()
        (target / 'whole').unlink()
    assert os.listdir(target) == ['late']  # in the place of an empty folder
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, target.name])


def test_a_block_that_fails_leaves_nothing(tmp_path):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'empty')
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / 'link') as part:
        (part / 'half').touch()
        raise KeyboardInterrupt
    assert os.listdir(tmp_path / 'empty') == [] and not unfinished(tmp_path)
    with new_folder(tmp_path / 'link') as part:
        (part / 'file').touch()
    assert os.listdir(tmp_path / 'empty') == ['file'] and Path(tmp_path / 'link').is_symlink()
    with new_folder(tmp_path / 'deep' / ('long' * 60)) as part:
        (part / 'file').touch()
