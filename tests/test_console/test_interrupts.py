"""Ctrl-C as a user types it: once for an orderly end, twice for one at once; never a traceback."""

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from lgd_mm.cli import main
from lgd_mm.console import interrupts
from lgd_mm.errors import reported

#: A command with two workers that says when it is at work; its end takes long.
COMMAND = r"""
import multiprocessing, os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background, it is ignored
from lgd_mm.errors import reported
def work():
    time.sleep(100)
with reported():
    workers = [multiprocessing.Process(target=work) for _ in range(2)]
    [worker.start() for worker in workers]
    try:
        print(*(worker.pid for worker in workers), sep='\n', flush=True)  # a signal while it forks may be lost
        time.sleep(100)
    finally:
        print('ending', flush=True)
        time.sleep(float(sys.argv[1]))
        [worker.kill() for worker in workers]
"""


@pytest.mark.parametrize('times', [1, 2])
def test_commands_end_with_130_and_their_workers(times):
    command = [sys.executable, '-c', COMMAND, '0' if times == 1 else '100']
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        workers = [int(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == 'ending\n'
        if times == 2:
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == '\nstopping; Ctrl-C again ends at once\n' + ('stopped\n' if times == 1 else '')
    for worker in workers:
        assert ended(worker)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_with_a_sentence_too(number):
    """A scheduler's, or a terminal's that is closed, before a training has begun; cleaning up is not cut off."""
    with subprocess.Popen([sys.executable, '-c', COMMAND, '0.2'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        workers = [int(process.stdout.readline()) for _ in range(2)]
        process.send_signal(number)
        assert process.stdout.readline() == 'ending\n'
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (128 + number, f'stopped by {signal.Signals(number).name}\n')
    for worker in workers:
        assert ended(worker)


def test_a_worker_is_ended_as_ever():
    """By the SIGTERM that torch sends to those that hang, without a word."""
    code = COMMAND.replace("print('ending', flush=True)",
                           '[(worker.terminate(), worker.join()) for worker in workers]; '
                           "print([worker.exitcode for worker in workers], flush=True)")
    with subprocess.Popen([sys.executable, '-c', code, '0'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        for _ in range(2):
            process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=30)
    assert (output, errors) == ('[-15, -15]\n', 'stopped by SIGTERM\n')


def test_nohup_is_heeded(handlers):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with reported():
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_a_closed_terminal_is_written_to_no_more():
    code = ('import sys; from lgd_mm.console.interrupts import leave_terminal; sys.stdin.readline(); leave_terminal(); '
            'print("to nobody", flush=True)')
    master, slave = pty.openpty()
    with subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=slave,
                          stderr=subprocess.PIPE) as process:
        os.close(slave)
        os.close(master)
        _, errors = process.communicate(b'\n', timeout=30)
    assert (process.returncode, errors) == (0, b'')


def ended(pid):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            with open(f'/proc/{pid}/stat') as stat:
                if stat.read().rpartition(')')[2].split()[0] == 'Z':  # whose parent has ended
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def handlers():
    """Those of pytest, afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_in_lgd_mm_too(handlers, monkeypatch, capsys):
    """Where click would print 'Aborted!'."""
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr('lgd_mm.cli.listing.LISTS', dict(configs=interrupted))
    monkeypatch.setattr(sys, 'argv', ['lgd-mm', 'list', 'configs'])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 130 and capsys.readouterr().err == 'stopped\n'


def test_background_jobs_ignore_it_unless_asked(handlers):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with reported():
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    interrupts.install(ignored=True)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == interrupts.end_now


def test_a_training_is_left_by_the_second(handlers, monkeypatch, capfd):
    """The first is told and waits for the step; the second leaves it, and ends a process that hangs; so does the
    third."""
    from lgd_mm.engine.stopping import StopHook  # brings torch along
    ends = []
    monkeypatch.setattr(os, '_exit', ends.append)
    monkeypatch.setattr(interrupts, 'GRACE', 0)
    hook = StopHook()
    signal.signal(signal.SIGINT, hook.ask)
    signal.raise_signal(signal.SIGINT)
    assert capfd.readouterr().err == '\nstopping after the step at hand, which is saved; Ctrl-C again ends at once\n'
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    until = time.monotonic() + 10
    while not ends and time.monotonic() < until:
        time.sleep(0.01)
    assert ends == [130]
    signal.raise_signal(signal.SIGINT)
    assert ends == [130, 130]
