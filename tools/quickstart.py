"""From nothing to a language-guided student and a table: ``python tools/quickstart.py [--seeds N]``."""

import argparse
import os
import signal
import sys
from pathlib import Path

from rich.console import Console

from lgd_mm.errors import reported
from lgd_mm.benchmark.run import run_quickstart
from lgd_mm.benchmark.stage import ROOT


def main() -> None:
    """Parse the arguments and run; interrupted, the same command goes on where it stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=1, metavar='N', help='runs of everything (default: 1)')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/quickstart'), help='folder for everything')
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        parser.error(f'--seeds is {arguments.seeds}: at least one run is needed')
    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with reported():
            work_dir = arguments.work_dir.resolve()
            os.chdir(ROOT)  # where the configs and the commands it prints are at home
            run_quickstart(Path(os.path.relpath(work_dir)), range(arguments.seeds), console)
    except KeyboardInterrupt:
        console.print('\nStopped. The same command goes on from the last checkpoint of this stage, if there is one.')
        sys.exit(130)


if __name__ == '__main__':
    main()
