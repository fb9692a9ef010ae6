"""Measure several students on several tasks: ``python tools/benchmark.py SUITE_CONFIG``."""

import argparse
import os
import shlex
import signal
import sys
from pathlib import Path

from lgd_mm.api.beginnings import check_backbone
from lgd_mm.console import interrupts
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.tables import PlainConsole
from lgd_mm.errors import reported
from lgd_mm.io.inputs import check_config


def parse_args() -> argparse.Namespace:
    """The suite, which part of it, and where it runs."""
    from lgd_mm.io.options import OptionsAction
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('suite', nargs='?', help='suite config, such as configs/shapes/suite.py, or one in YAML')
    parser.add_argument('--work-dir', help="folder of all runs (default: the config's, or work_dirs/NAME)")
    parser.add_argument('--entries', nargs='+', metavar='LABEL', help='only these rows')
    parser.add_argument('--tasks', nargs='+', metavar='NAME', help='only these columns')
    parser.add_argument('--seeds', nargs='+', type=int, metavar='N', help='only these seeds')
    parser.add_argument('--backbone', metavar='NAME', help="student in the place of the configs' own (lgd-mm list "
                        'students)')
    parser.add_argument('--dry-run', action='store_true', help='print the plan with the iterations of each run')
    parser.add_argument('--gpus', type=int, default=1, metavar='N', help='GPUs of each run (default: 1)')
    parser.add_argument('--slurm', metavar='PARTITION', help='start the runs through Slurm')
    parser.add_argument('--jobs', type=int, metavar='N',
                        help='runs at a time through Slurm, or without GPUs (default: 1)')
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction, metavar='KEY=VALUE',
                        help='overwrite keys of the suite config')
    parser.add_argument('--compare', nargs=2, metavar=('A.json', 'B.json'), help='show two results side by side')
    arguments = parser.parse_args()
    if (arguments.suite is None) == (arguments.compare is None):
        parser.error('give a suite config, or --compare with two results.json')
    for name in ('gpus', 'jobs'):
        if (given := getattr(arguments, name)) is not None and given < 1:
            parser.error(f'--{name} is {given}: it must be at least 1')
    return arguments


def _from(root: Path, path: str) -> str:
    """A path that is relative to the current folder, relative to the root of the repository if it is in there."""
    whole = Path(os.path.abspath(path))
    return path if os.path.isabs(path) else str(whole.relative_to(root) if whole.is_relative_to(root) else whole)


def main() -> None:
    """Run, plan or compare; interrupted, the same command goes on where it stopped."""
    arguments = parse_args()
    console = PlainConsole()
    if arguments.compare:
        from lgd_mm.suite.compare import compare_table
        console.print(compare_table(*map(Path, arguments.compare)))
        return
    check_config(arguments.suite)
    if arguments.backbone:
        check_backbone(arguments.backbone)
    begin(LOADING)
    import torch

    from lgd_mm.suite.config import read_suite
    from lgd_mm.suite.definition import ROOT
    from lgd_mm.suite.execute import execute
    from lgd_mm.suite.launcher import Launcher
    from lgd_mm.suite.plan import choose
    from lgd_mm.suite.runner import SuiteRunner
    config, work_dir = _from(ROOT, arguments.suite), arguments.work_dir and _from(ROOT, arguments.work_dir)
    os.chdir(ROOT)  # where the configs and the commands it prints are at home
    suite = read_suite(config, arguments.cfg_options, work_dir, arguments.backbone)
    launcher = Launcher(arguments.gpus, torch.cuda.device_count(), arguments.slurm, arguments.jobs)
    runs = choose(suite, arguments.entries, arguments.tasks, arguments.seeds, arguments.gpus)
    runner = SuiteRunner(suite, runs, launcher, console, command=shlex.join(['python', *sys.argv]))
    if arguments.dry_run:
        console.print(runner.dry_run())
        return
    interrupts.install((signal.SIGINT, signal.SIGTERM), ignored=True)
    interrupts.ENDINGS.append(launcher.kill)
    try:
        execute(runner, console)
    except KeyboardInterrupt:
        console.print('\nStopped. The same command goes on from the last checkpoint of each run, if there is one.')
        sys.exit(interrupts.STATUS)


if __name__ == '__main__':
    with reported():
        main()
