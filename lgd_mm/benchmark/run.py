"""The quickstart: world, language-guided student, two fine-tuned tasks with and without it, one table."""

import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lgd_mm.datasets import shapes
from lgd_mm.datasets.shapes import write_world
from lgd_mm.engine.preflight import latest_checkpoint
from lgd_mm.benchmark.predictions import draw_predictions
from lgd_mm.benchmark.report import write_report
from lgd_mm.benchmark.stage import Stage, StageProgress, environment, write_json
from lgd_mm.benchmark.table import results_table

RANDOM, STUDENT = 'random weights', 'LGD student'
CONFIGS = {
    'pretrain': Path('configs/shapes/lgd_r18-slim_shapes.py'),
    'mask-rcnn': Path('configs/shapes/mask-rcnn_r18-slim_fpn_shapes.py'),
    'upernet': Path('configs/shapes/upernet_r18-slim_shapes.py'),
}
TEACHER = Path(shapes.__file__).parent / 'teacher' / 'open_clip_model.safetensors'
#: Where each stage's log has a metric of the table, and what brings it to percent.
SOURCES = {
    'zero_shot/top1': ('pretrain', 'accuracy/top1', 1),
    'coco/bbox_mAP': ('mask-rcnn', 'coco/bbox_mAP', 100),
    'coco/segm_mAP': ('mask-rcnn', 'coco/segm_mAP', 100),
    'ade20k/mIoU': ('upernet', 'mIoU', 1),
}


def plan(work_dir: Path, seeds: Sequence[int]) -> list[Stage]:
    """Every stage in the order it runs.

    Args:
        work_dir (Path): Folder of the quickstart.
        seeds (Sequence[int]): One student and four fine-tuned networks for each.

    Returns:
        list[Stage]: Five for each seed.
    """
    data = work_dir / 'data'
    flags = ('--amp', ) if fast_bf16() else ()
    inputs = data / 'world.json', TEACHER
    stages = []
    for seed in seeds:
        folder = work_dir / f'seed{seed}'
        student = folder / 'pretrain' / 'student.safetensors'
        stages.append(
            Stage('pretrain', STUDENT, seed, CONFIGS['pretrain'], folder / 'pretrain',
                  (f'randomness.seed={seed}', *_data_root('', data)), flags, inputs=inputs,
                  metrics=_measured('pretrain')))
        for task, data_root in (('mask-rcnn', data / 'coco'), ('upernet', data / 'ade')):
            for label, file in ((RANDOM, None), (STUDENT, student)):
                options = (f'randomness.seed={seed}', *_data_root(task, data_root))
                stages.append(
                    Stage(task, label, seed, CONFIGS[task], folder / f'{task}_{label.split()[0].lower()}', options,
                          student=file, inputs=inputs[:1], metrics=_measured(task)))
    return stages


def _measured(stage: str) -> tuple[str, ...]:
    """The logged metrics of a stage that the table shows."""
    return tuple(key for name, key, _ in SOURCES.values() if name == stage)


def _data_root(task: str, data_root: Path) -> list[str]:
    """Overrides that move a config's data to another folder."""
    options = [f'{loader}_dataloader.dataset.data_root={data_root}/' for loader in ('train', 'val', 'test')]
    if task == 'mask-rcnn':
        annotations = data_root / 'annotations/instances_val2017.json'
        options += [f'{name}_evaluator.ann_file={annotations}' for name in ('val', 'test')]
    return options


def fast_bf16() -> bool:
    """Whether autocast pays: on a GPU, or on a processor with bf16 units."""
    return torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def run_quickstart(work_dir: Path, seeds: Sequence[int], console: Console) -> dict:
    """Run what is not done yet, and write ``results.json`` and ``report.html``.

    Args:
        work_dir (Path): Folder for everything; an interrupted run goes on there.
        seeds (Sequence[int]): Of the runs.
        console (Console): Told about progress and the table.

    Returns:
        dict: The content of ``results.json``.

    Raises:
        UserError: If a stage fails.
    """
    console.print(f'[bold]Generated world[/bold] in {work_dir / "data"}', highlight=False)
    records = [_write_world(work_dir)]
    stages = plan(work_dir, seeds)
    for number, stage in enumerate(stages, start=1):
        title = f'[{number}/{len(stages)}] {stage.name}, {stage.label}, seed {stage.seed}'
        record = stage.record() or _run_visibly(stage, title, console)
        shown = ', '.join(f'{name} {value:.1f}' for name, value in stage_metrics(record).items())
        console.print(f'[green]done[/green] {title}: {shown}  ({record["seconds"]:.0f} s)', highlight=False)
        records.append(record)

    results = collect(records, seeds)
    write_json(work_dir / 'results.json', results)
    write_report(results, work_dir / 'report.html', pictures=_predictions(stages, seeds[0], work_dir))
    console.print(results_table(results))
    console.print(f'Report: {work_dir / "report.html"}   Figures: {work_dir / "results.json"}', highlight=False)
    return results


def _write_world(work_dir: Path) -> dict:
    """Write or complete the world; its record adds up the seconds of all calls that wrote."""
    marker = work_dir / 'world_stage.json'
    seconds = json.loads(marker.read_text())['seconds'] if marker.is_file() else 0.0
    begin = time.monotonic()
    write_world(work_dir / 'data')
    record = dict(name='world', seed=0, label='', command='', work_dir=str(work_dir / 'data'),
                  seconds=seconds + time.monotonic() - begin, metrics={}, **environment())
    write_json(marker, record)
    return record


def _run_visibly(stage: Stage, title: str, console: Console) -> dict:
    """Run a stage under a progress bar; without a terminal, a line for each tenth."""
    columns = (TextColumn('{task.description}'), BarColumn(), TextColumn('{task.percentage:3.0f}%'),
               TimeElapsedColumn(), TextColumn('left'), TimeRemainingColumn(), TextColumn('{task.fields[loss]}'))
    shown = -1
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=1.0, loss='starting')

        def on_progress(progress: StageProgress) -> None:
            nonlocal shown
            loss = '' if progress.loss is None else f'loss {progress.loss:.3f}'
            bar.update(task, completed=progress.done, loss=loss)
            if not console.is_terminal and int(progress.done * 10) > shown:
                shown = int(progress.done * 10)
                console.print(f'{title}: {progress.done:4.0%}  {loss}', highlight=False)

        return stage.run(on_progress)


def stage_metrics(record: dict) -> dict[str, float]:
    """The table's metrics that a stage measured, in percent."""
    return {
        name: record['metrics'][key] * scale
        for name, (stage, key, scale) in SOURCES.items() if stage == record['name'] and key in record['metrics']
    }


def collect(records: Sequence[dict], seeds: Sequence[int]) -> dict:
    """Gather the stages' records into what ``results.json`` holds.

    Args:
        records (Sequence[dict]): From the world and the stages.
        seeds (Sequence[int]): Of the runs.

    Returns:
        dict: ``rows`` (a mean and a spread, the standard deviation over seeds, for each label), ``stages``, ``seeds``,
        ``seconds``, ``versions`` and ``machine``.
    """
    rows = []
    for label in (RANDOM, STUDENT):
        per_seed: list[dict[str, Any]] = []
        for seed in seeds:
            metrics: dict[str, float | None] = dict.fromkeys(SOURCES)
            for record in records:
                if (record['label'], record['seed']) == (label, seed):
                    metrics.update(stage_metrics(record))
            per_seed.append(dict(seed=seed, metrics=metrics))
        columns = {name: [row['metrics'][name] for row in per_seed] for name in SOURCES}
        rows.append(
            dict(
                label=label,
                metrics={name: None if None in values else statistics.mean(values)
                         for name, values in columns.items()},
                spread={name: None if None in values or len(values) < 2 else statistics.stdev(values)
                        for name, values in columns.items()},
                per_seed=per_seed))
    return dict(
        rows=rows,
        stages=[{key: record[key] for key in ('name', 'seed', 'label', 'seconds', 'command', 'work_dir')}
                for record in records],
        seeds=list(seeds),
        seconds=sum(record['seconds'] for record in records),
        versions=_common([record['versions'] for record in records]),
        machine=_common([record['machine'] for record in records]))


def _common(parts: Sequence[dict]) -> dict:
    """What all parts share; where they differ, all values, as a run may go on elsewhere or later."""
    values = {key: list(dict.fromkeys(part[key] for part in parts)) for key in parts[0]}
    return {key: found[0] if len(found) == 1 else ' / '.join(map(str, found)) for key, found in values.items()}


def _predictions(stages: Sequence[Stage], seed: int, work_dir: Path) -> list[Path]:
    """Draw the fine-tuned networks' predictions of the first seed."""
    runs: dict[str, dict[str, tuple[Path, Path]]] = {'mask-rcnn': {}, 'upernet': {}}
    for stage in stages:
        if stage.seed == seed and stage.name in runs:
            config = stage.work_dir / stage.config.name
            checkpoint = latest_checkpoint(str(stage.work_dir))
            assert checkpoint is not None, 'a finished stage has one'
            runs[stage.name][stage.label] = config, checkpoint
    return draw_predictions(runs['mask-rcnn'], runs['upernet'], work_dir / 'predictions')
