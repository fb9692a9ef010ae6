"""Who writes the report, and when."""

from types import SimpleNamespace

import pytest

from lgd_mm.engine.hooks import report as report_hook
from lgd_mm.engine.hooks.report import ReportHook, write_reports


@pytest.mark.parametrize(('processes', 'rank', 'within', 'after'), [(1, 0, 1, 0), (2, 0, 0, 1), (2, 1, 0, 0)])
def test_no_process_waits_for_the_report(monkeypatch, processes, rank, within, after):
    """One process writes it while it trains, the first of several once they have parted: none of them times out."""
    written = []
    monkeypatch.setattr(ReportHook, 'write', lambda self, runner: written.append(runner))
    monkeypatch.setattr(report_hook, 'get_world_size', lambda: processes)
    hook = ReportHook()
    runner = SimpleNamespace(world_size=processes, rank=rank, hooks=[object(), hook])
    hook.after_train(runner)
    assert len(written) == within
    write_reports(runner)
    assert len(written) == within + after
