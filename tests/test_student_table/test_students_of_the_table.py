"""The package's table is of the students that there are, and says what the installed libraries build."""

import importlib.util
import re
from types import ModuleType
from zlib import crc32

import pytest
import timm

from lgd_mm.api.methods import LGD
from lgd_mm.api.students import TIMM
from lgd_mm.student_table import StudentRow, read_table
from tests.conftest import ROOT

VERSION, ROWS = read_table()
TABLE = {row.name: row for row in ROWS}


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location('make_student_table', ROOT / 'tools' / 'make_student_table.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_student_has_its_row():
    """If not: python tools/make_student_table.py"""
    theirs = [TIMM + name for name in timm.list_models()] if VERSION == timm.__version__ else [
        name for name in TABLE if name.startswith(TIMM)]
    assert sorted([*LGD.students, *theirs]) == [row.name for row in ROWS]


def test_rows_are_whole():
    """A map has a stride and channels, and a side is one."""
    for row in ROWS:
        assert len(row.strides) == len(row.channels) and min((*row.strides, *row.channels), default=1) > 0, row
        assert row.parameters > 0 and row.size > 0 and row.layout in (('NCHW', 'NHWC') if row.strides else ('', )), row


def test_known_students():
    """Numbers of their papers and libraries, and the strides that dense guidance takes."""
    assert TABLE['resnet18'] == StudentRow(
        'resnet18', 11_176_512, 224, False, (4, 8, 16, 32), (64, 128, 256, 512), 'NCHW')
    assert TABLE['mobilenetv2'] == StudentRow(
        'mobilenetv2', 2_223_872, 224, False, (2, 4, 8, 16, 32), (16, 24, 32, 96, 1280), 'NCHW')
    assert TABLE['timm/vit_tiny_patch16_224'] == StudentRow(
        'timm/vit_tiny_patch16_224', 5_524_416, 224, False, (16, 16, 16), (192, 192, 192), 'NCHW')
    assert TABLE['timm/swin_tiny_patch4_window7_224'] == StudentRow(
        'timm/swin_tiny_patch4_window7_224', 27_519_354, 224, False, (4, 8, 16, 32), (96, 192, 384, 768), 'NHWC')
    assert all({8, 16, 32} <= set(TABLE[name].strides) for name in LGD.maps)


@pytest.mark.slow
@pytest.mark.parametrize('name', LGD.students)
def test_a_student_of_ours_is_as_its_row_says(name, tool):
    assert tool.measure(name) == TABLE[name]


def sample(count: int) -> list[str]:
    """Names of timm that the installed one has, no two of a family, spread by their hashes."""
    families: dict[str, str] = {}
    installed = {TIMM + name for name in timm.list_models()}
    for name in sorted(installed & set(TABLE), key=lambda name: crc32(name.encode())):
        families.setdefault(re.match(f'{TIMM}[a-z]+', name)[0], name)
    return list(families.values())[:count]


@pytest.mark.slow
@pytest.mark.parametrize('name', sample(40))
def test_a_student_of_timm_is_as_its_row_says(name, tool):
    assert tool.measure(name) == TABLE[name]
