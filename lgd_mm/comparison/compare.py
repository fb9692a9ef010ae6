"""``lgd_mm.compare``: methods of pre-training on a user's own images and sets."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shlex import join

import torch

from lgd_mm.api.classes import parse_classes
from lgd_mm.comparison.configs import Configs
from lgd_mm.comparison.early import METHODS, check_comparison_folder, going_on
from lgd_mm.comparison.leaks import among
from lgd_mm.comparison.plan import make_plan
from lgd_mm.comparison.request import SUITE, Request, State, check_same, read_state, write_state
from lgd_mm.console.interrupts import ENDINGS
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.console.tables import PlainConsole
from lgd_mm.console.words import some
from lgd_mm.io.inputs import check_outside
from lgd_mm.suite.config import read_suite
from lgd_mm.suite.disk_space import checkpoint_bytes
from lgd_mm.suite.execute import execute
from lgd_mm.suite.figures import columns, find_cell, find_figure
from lgd_mm.suite.launcher import Launcher
from lgd_mm.suite.plan import choose
from lgd_mm.suite.runner import SuiteRunner
from lgd_mm.suite.schema import Results
from lgd_mm.suite.table import format_seconds

#: How many times longer than expected a comparison takes before that is said.
SLOWER = 1.1


def compare(images: str | Path | None = None,
            classes: str | Path | Sequence[str] | None = None,
            *,
            out: str | Path,
            detection: str | Path | None = None,
            segmentation: str | Path | None = None,
            classification: str | Path | None = None,
            methods: Sequence[str] = METHODS,
            students: Sequence[str] = ('resnet18', ),
            teacher: str = 'RN50/openai',
            seeds: int = 3,
            budget: str | None = None,
            image_size: int | None = None,
            jobs: int | None = None,
            dry_run: bool = False) -> Results | None:
    """Pre-train students by several methods and measure them on sets of one's own: a suite is written to ``out`` and
    run. The same call goes on after any stop.

    Args:
        images (str | Path, optional): Folder of unlabelled images. Without it, the comparison in ``out`` goes on, as
            its ``suite.yaml`` is now.
        classes (str | Path | Sequence[str], optional): Names, as of :func:`lgd_mm.pretrain`.
        out (str | Path): Folder of the comparison.
        detection (str | Path, optional): A set with boxes (``docs/own_data.md``).
        segmentation (str | Path, optional): A set with masks.
        classification (str | Path, optional): Images in ``{train,val}/CLASS/*``.
        methods (Sequence[str]): Of :data:`lgd_mm.api.methods.COMPARED`. Defaults to ``('dense', 'lgd', 'random')``.
        students (Sequence[str]): As of :func:`lgd_mm.pretrain`. Defaults to ``('resnet18', )``.
        teacher (str): Likewise. Defaults to ``'RN50/openai'``.
        seeds (int): Runs of each figure. Defaults to 3.
        budget (str, optional): Time for everything on this machine, such as ``'2h'``: a few steps are measured, and
            schedules, sizes and seeds that fit are chosen. Defaults to None: whole schedules.
        image_size (int, optional): Longer side of the images of detection and segmentation, in pixels. Defaults to
            None: what fits each set, and the budget.
        jobs (int, optional): Runs at a time on a machine without GPUs. Defaults to None: one.
        dry_run (bool): Measure, write the suite and tell what it takes, but run nothing. Defaults to False.

    Returns:
        Results, optional: What was measured; None after a dry run.

    Raises:
        UserError: If an argument cannot be used, the budget is too small, or a run failed.
    """
    begin, folder = time.monotonic(), Path(out)
    state = read_state(folder)
    launcher = Launcher(1, torch.cuda.device_count(), None, jobs)
    ENDINGS.append(launcher.kill)
    console = PlainConsole()
    if images is None:
        state = going_on(folder, state)
    else:
        names = parse_classes(classes or ())
        request = Request(
            images=str(Path(images).resolve()), classes=names, detection=_whole(detection),
            segmentation=_whole(segmentation), classification=_whole(classification), methods=list(methods),
            students=list(students), teacher=teacher, seeds=seeds, budget=budget, image_size=image_size)
        request.check()
        check_comparison_folder(folder, state)
        check_outside(folder, [request.images, *request.data.values()])
        if state and state.begun:
            check_same(folder, state.request, request)
        if not (state and state.planned and state.request == request):
            folder.mkdir(parents=True, exist_ok=True)
            state = State(request)
            write_state(folder, state)
    if not state.planned:
        print_rank0('looking at the images and the sets')
        configs = Configs(state.request)
        _tell_leaks(configs)
        state = replace(state, planned=True, predicted=make_plan(folder, configs, launcher, console, begin))
        write_state(folder, state)
    suite = read_suite(str(folder / SUITE))
    runs = choose(suite)
    command = join(['lgd-mm', 'compare', '--out', str(out)])
    runner = SuiteRunner(suite, runs, launcher, console, command)
    if dry_run:
        console.print(runner.dry_run())
        console.print(f'disk space for checkpoints: {sum(map(checkpoint_bytes, runs)) / 1e9:.1f} GB; '
                      f'{folder / SUITE} may be edited, and `{command}` runs it', highlight=False, markup=False)
        return None
    resumed = state.begun
    write_state(folder, replace(state, begun=True))
    started = time.monotonic()
    results = execute(runner, console)
    took = time.monotonic() - started
    if state.predicted and not resumed and took > SLOWER * state.predicted:
        print_rank0(f'it took {format_seconds(took)}, and {format_seconds(state.predicted)} was measured before: the '
                    'machine was slower, or busy')
    for line in next_steps(results, state.request):
        print_rank0(line)
    return results


def next_steps(results: Results, request: Request) -> list[str]:
    """The best network of each task, and what may be typed next.

    Args:
        results (Results): Of the comparison.
        request (Request): What was asked for.

    Returns:
        list[str]: Lines.
    """
    lines = []
    for task in request.data:
        column = next((each for each in columns(results) if each.task == task), None)
        found = {entry.label: figure for entry in results.entries
                 if column and (figure := find_figure(results, entry.label, column))}
        if not column or not found:
            continue
        best = max(found, key=lambda label: found[label].mean)
        cell = find_cell(results, best, task)
        if cell and cell.work_dirs:
            of_one = ', of one seed: another may say otherwise' if len(found[best].values) == 1 else ''
            lines.append(f'best figure in {task}: {best} ({column.title} {found[best].mean:.1f}{of_one})')
            network = cell.work_dirs[0]
            lines.append(f'next:       {join(["lgd-mm", "predict", network, request.images, "--out", "predictions"])}')
            lines.append(f'            {join(["lgd-mm", "export", network, "--to", "onnx", "--out", "onnx"])}')
    return lines


def _whole(path: str | Path | None) -> str | None:
    return None if path is None else str(Path(path).resolve())


def _tell_leaks(configs: Configs) -> None:
    for task, data in configs.sets.items():
        found = among(configs.request.images, data.tested)
        if found:
            print_rank0(f'{len(found)} of {data.test} test images of {task} are also among the unlabelled images ('
                        f'{some([Path(path).name for path in found], 3)}): their labels are not read, but the students '
                        'have seen them; for figures of new images take them out of images')
