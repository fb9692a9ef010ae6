"""Results of suites that never ran."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lgd_mm.suite.schema import VERSION, Cell, EntryRow, Figure, Machine, Metric, Results, TaskColumns

MACHINE = dict(platform='Linux', processor='x86_64', threads=2, gpu=None, date='2026-01-02')


def metric(title: str, better: str = 'higher', scale: float = 1) -> Metric:
    return Metric(title, title, scale, better)  # type: ignore[arg-type]


def row(label: str, without: Iterable[str] = ()) -> EntryRow:
    return EntryRow(label, None, None, list(without))


def cell(entry: str, task: str, figures: dict[str, tuple[float, float | None]] | None = None, state: str = 'done',
         seeds: tuple[int, ...] = (0, 1, 2), folder: Path = Path('gone'), **others: Any) -> Cell:
    """A cell whose figures are ``title: (mean, std)``; each entry has its own lucky seed."""
    n = len(seeds)
    first = ord(entry[-1]) % n if n else 0
    metrics = {title: Figure(mean, std, [mean + (std or 0) * ((place + first) % n - (n - 1) / 2) for place in range(n)])
               for title, (mean, std) in (figures or {}).items()}
    runs = [f'{entry}/seed{seed}/{task}' for seed in seeds]
    return Cell(**dict(
        entry=entry, task=task, state=state, seeds=list(seeds), n=n, metrics=metrics, seconds=60.0 if n else None,
        images_per_second=12.5, peak_memory_mb=2048, memory_of='process',
        commands=[f'tools/train.py {run}.py' for run in runs], work_dirs=[str(folder / run) for run in runs],
        hashes=[f'{seed:064x}' for seed in seeds], versions={'torch': '2.11.0'},
        machine=Machine(**MACHINE), error=None) | others)


def results(tasks: dict[str, list[Metric]], labels: list[str], cells: list[Cell], **others: Any) -> Results:
    """The content of ``results.json``; ``tasks`` are ``name: metrics``."""
    return Results(**dict(
        suite='made_up', title='Made up', note='', command='python tools/benchmark.py made_up.py',
        tasks=[TaskColumns(name, f'configs/{name}.py', metrics) for name, metrics in tasks.items()],
        entries=[row(label, _without(label, tasks, cells)) for label in labels],
        cells=cells, seconds=154.0, versions={'torch': '2.11.0'}, machine=Machine(**MACHINE), version=VERSION) | others)


def _without(label: str, tasks: Iterable[str], cells: list[Cell]) -> list[str]:
    return [task for task in tasks if not any((cell.entry, cell.task) == (label, task) for cell in cells)]


def write_scalars(work_dir: Path, records: list[dict], start: str = '20260101_000000', cut_off: str = '') -> Path:
    """As mmengine logs them."""
    file = work_dir / start / 'vis_data/scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text(''.join(json.dumps(record) + '\n' for record in records) + cut_off)
    return file
