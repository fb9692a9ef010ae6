"""Every entry that takes a file, on every file that would run something: a sentence, or nothing happens."""

import warnings

import cv2
import numpy as np
import pytest
from mmengine.registry import DefaultScope

from lgd_mm.errors import UserError
from tests.test_security.conftest import watched
from tests.test_security.entries import Entries
from tests.test_security.payloads import files, write_run

FILES, FOLDERS = list(Entries(None, None).of_files()), list(Entries(None, None).of_folders())


@pytest.fixture(scope='module')
def entries(tmp_path_factory) -> Entries:
    folder = tmp_path_factory.mktemp('entries')
    for split in ('train', 'val'):
        for name in ('cat', 'dog'):
            (folder / f'set/{split}/{name}').mkdir(parents=True)
            cv2.imwrite(str(folder / f'set/{split}/{name}/1.png'), np.zeros((32, 32, 3), np.uint8))
    return Entries(folder, folder / 'set')


@pytest.fixture(scope='module')
def payloads(marker, tmp_path_factory):
    return files(marker, tmp_path_factory.mktemp('payloads'))


def read(call, path, marker) -> str | None:
    """What went wrong, if anything did."""
    DefaultScope._instance_dict.clear()
    try:
        with warnings.catch_warnings(), watched() as seen:
            warnings.simplefilter('ignore')
            call(path)
    except UserError:
        pass
    except Exception as error:
        return f'{type(error).__name__}: {str(error)[:200]}'
    if marker.exists():
        marker.unlink()
        return 'code was run'
    return f'seen: {seen[0]}' if seen else None


@pytest.mark.slow
@pytest.mark.parametrize('entry', FILES)
def test_a_file_is_data(entry, entries, payloads, marker):
    call = entries.of_files()[entry]
    found = {name: read(call, path, marker) for name, path in payloads.items()}
    assert {name: fault for name, fault in found.items() if fault} == {}


@pytest.mark.slow
@pytest.mark.parametrize('entry', FOLDERS)
def test_a_folder_is_data(entry, entries, payloads, marker, tmp_path):
    call, found = entries.of_folders()[entry], {}
    for number, (name, path) in enumerate(payloads.items()):
        found[name] = read(call, write_run(tmp_path / f'run{number}', path, marker), marker)
    assert {name: fault for name, fault in found.items() if fault} == {}
