"""Whoever watches no terminal gets a line within ten seconds, and then one at least every thirty."""

import io
import itertools

import pytest
from rich.console import Console

from lgd_mm.console import progress
from lgd_mm.console.progress import Heartbeat, track


class Time:
    """A clock that only waiting moves, and what happens meanwhile."""

    def __init__(self, until, events=()):
        self.now, self.until, self.events = 0., until, dict(events)

    def clock(self):
        return self.now

    def wait(self, seconds):
        """To the next event if it comes before."""
        moment = min([moment for moment in self.events if moment >= self.now], default=float('inf'))
        if moment <= self.now + seconds:
            self.now = moment
            self.events.pop(moment)()
        else:
            self.now += seconds
        return self.now > self.until


def beats(time):
    told = []
    heartbeat = Heartbeat(lambda: 'here', lambda line: told.append((time.now, line)), time.clock, time.wait)
    return heartbeat, told


def test_the_first_line_after_ten_seconds_then_every_thirty():
    heartbeat, told = beats(Time(130))
    heartbeat.beat()
    assert told == [(10, 'here'), (40, 'here'), (70, 'here'), (100, 'here'), (130, 'here')]


def test_lines_of_others_count():
    """No line is put between those of a logger that is never silent for long."""
    time = Time(200)
    heartbeat, told = beats(time)
    time.events = {moment: heartbeat.spoken for moment in (5., 30., 55., 80., 105., 180.)}
    heartbeat.beat()
    assert told == [(135, 'here'), (165, 'here')]


def test_it_speaks_from_a_thread_of_the_first_process_and_stops(monkeypatch):
    """A slow step is no silence."""
    monkeypatch.setattr(progress, 'FIRST', 0)
    monkeypatch.setattr(progress, 'EVERY', 0.01)
    said = io.StringIO()
    beat = itertools.count()
    with Heartbeat(lambda: f'{next(beat)}', lambda line: print(line, file=said)) as heartbeat:
        while '2\n' not in said.getvalue():
            pass
    assert heartbeat._ended.is_set()
    monkeypatch.setenv('RANK', '1')
    monkeypatch.setattr(progress.threading, 'Thread', lambda **_: pytest.fail('a thread'))
    with Heartbeat(lambda: 'x'):
        pass


def test_items_are_counted(monkeypatch):
    """Without a terminal by lines, with one by a bar; the items are the same."""
    lines = []

    class Now(Heartbeat):
        def __init__(self, where, tell):
            super().__init__(where, tell)
            lines.append(where)

    monkeypatch.setattr(progress, 'Heartbeat', Now)
    console = Console(file=io.StringIO())
    counted = track(iter('abcd'), 'letters', 4, console)
    assert [next(counted), next(counted), next(counted)] == ['a', 'b', 'c']
    assert [where() for where in lines] == ['letters: 2 of 4']
    assert list(counted) == ['d'] and lines[0]() == 'letters: 4 of 4'
    terminal = Console(file=io.StringIO(), force_terminal=True)
    assert list(track('abcd', 'letters', 4, terminal)) == list('abcd')
    assert '100%' in terminal.file.getvalue() and len(lines) == 1
