"""What the kernel counts, from files as it writes them."""

import os
from pathlib import Path

import pytest

from lgd_mm.costs.counters import Energy, busy_seconds, memory_mb

TICKS = os.sysconf('SC_CLK_TCK')


def test_only_the_cores_of_this_process_are_counted_and_neither_idle_nor_waiting(tmp_path, monkeypatch):
    stat = tmp_path / 'stat'
    # user nice system idle iowait irq softirq steal guest guest_nice; guest is in user already
    stat.write_text('cpu  9 9 9 9 9 9 9 9 9 9\n'
                    'cpu0 100 20 30 9000 800 4 5 6 50 50\n'
                    'cpu1 7777 0 0 0 0 0 0 0 0 0\n'
                    'cpu10 1000 0 0 1 1 0 0 0 0 0\nintr 5\n')
    monkeypatch.setattr(os, 'sched_getaffinity', lambda _: {0, 10})
    assert busy_seconds(stat) == pytest.approx((100 + 20 + 30 + 4 + 5 + 6 + 1000) / TICKS)


@pytest.mark.parametrize('text', ['', 'cpu0 0 0 0 0 0 0 0 0\n', 'cpu0 many\n', None])
def test_a_machine_that_does_not_tell(tmp_path, text, monkeypatch):
    monkeypatch.setattr(os, 'sched_getaffinity', lambda _: {0})
    if text is not None:
        (tmp_path / 'stat').write_text(text)
    assert busy_seconds(tmp_path / 'stat') is None


def test_memory(tmp_path):
    (tmp_path / 'status').write_text('Name:\tpython\nVmHWM:\t  2048 kB\nVmRSS:\t1536 kB\n')
    assert memory_mb('VmHWM', tmp_path / 'status') == 2.0
    assert memory_mb('VmRSS', tmp_path / 'status') == 1.5
    assert memory_mb('VmSwap', tmp_path / 'status') is None
    assert memory_mb('VmRSS', tmp_path / 'gone') is None
    assert memory_mb('VmRSS') > 10


def domain(root: Path, folder: str, name: str, energy: int, most: int = 999_999) -> Path:
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / 'name').write_text(f'{name}\n')
    (root / folder / 'energy_uj').write_text(f'{energy}\n')
    (root / folder / 'max_energy_range_uj').write_text(f'{most}\n')
    return root / folder / 'energy_uj'


def test_energy_is_of_the_processors_alone_and_goes_round(tmp_path):
    first = domain(tmp_path, 'intel-rapl:0', 'package-0', 900_000)
    second = domain(tmp_path, 'intel-rapl:1', 'package-1', 0)
    domain(tmp_path, 'intel-rapl:0:0', 'core', 0)
    whole = domain(tmp_path, 'intel-rapl:2', 'psys', 0)
    energy = Energy(tmp_path)
    assert energy.missing is None
    before = energy.read()
    first.write_text('100000')  # over its end, at 999,999
    second.write_text('300000')
    whole.write_text('800000')
    assert energy.joules_since(before) == pytest.approx(0.2 + 0.3)


def test_energy_that_may_not_be_read_is_no_half_figure(tmp_path, monkeypatch):
    domain(tmp_path, 'intel-rapl:0', 'package-0', 1)
    secret = domain(tmp_path, 'intel-rapl:1', 'package-1', 1)
    read = Path.read_text

    def refuse(path, *args, **kwargs):
        if path == secret:
            raise PermissionError(13, 'Permission denied')
        return read(path, *args, **kwargs)

    monkeypatch.setattr(Path, 'read_text', refuse)
    energy = Energy(tmp_path)
    assert energy.missing == f'{tmp_path}/intel-rapl:1/energy_uj is for root alone'
    assert energy.joules_since(energy.read()) is None


def test_no_counter(tmp_path):
    (tmp_path / 'dtpm').mkdir()
    for root in (tmp_path, tmp_path / 'gone'):
        energy = Energy(root)
        assert energy.missing == f'there is no energy counter in {root}' and energy.joules_since({}) is None
