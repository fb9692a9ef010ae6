"""The house as docs/design.md shows it: imports go down, and files are short."""

import runpy
import statistics
from graphlib import CycleError

import pytest

from tests.tiny import ROOT

FLOORS = runpy.run_path(str(ROOT / 'docs/draw_floors.py'))


def test_no_room_imports_in_a_circle() -> None:
    rooms = FLOORS['room_imports']()
    levels = FLOORS['floors'](rooms)
    assert levels['errors'] < levels['io'] < levels['models'] < levels['engine'] < levels['api'] < levels['cli']
    assert all(levels[room] > levels[other] for room, imported in rooms.items() for other in imported)


def test_no_file_imports_in_a_circle() -> None:
    FLOORS['floors'](FLOORS['file_imports']())


def test_a_circle_is_found() -> None:
    with pytest.raises(CycleError):
        FLOORS['floors']({'a': {'b'}, 'b': {'c'}, 'c': {'a'}})


def test_imports_within_functions_count() -> None:
    assert 'lgd_mm.report.pretraining' in FLOORS['file_imports']()['lgd_mm.engine.hooks.report']


def test_the_picture_is_of_this_house() -> None:
    """If not: python docs/draw_floors.py"""
    assert (ROOT / 'docs/floors.svg').read_text(encoding='utf-8') == FLOORS['picture']()


def test_files_are_short() -> None:
    lengths = {path: len(path.read_text(encoding='utf-8').splitlines())
               for folder in ('lgd_mm', 'tools') for path in (ROOT / folder).rglob('*.py')}
    assert max(lengths.values()) < 300, max(lengths, key=lambda path: lengths[path])
    assert statistics.median(lengths.values()) <= 100
