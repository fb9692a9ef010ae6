"""Host memory of a pre-training over its epochs, live and from a cache, with the workers of its loader."""

import argparse
import json
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from rich.console import Console
from rich.table import Table

from lgd_mm.datasets.shapes.world import write_world
from lgd_mm.engine.fill_teacher_cache import CacheFiller
from lgd_mm.engine.settings import load_config
from lgd_mm.runs.environment import environment

CONFIGS = Path(__file__).parents[1] / 'configs/shapes'
IMAGES, BATCH = 800, 8


class Memory(Hook):
    """The peak of all processes' memory in each epoch."""

    def __init__(self) -> None:
        self.peaks: list[int] = []

    def before_train_epoch(self, runner: Runner) -> None:
        """A new epoch."""
        self.peaks.append(0)

    def after_train_iter(self, runner: Runner, *args: object, **kwargs: object) -> None:
        """This process and its loader's workers."""
        if self.every_n_train_iters(runner, 10):
            children = Path(f'/proc/{os.getpid()}/task/{os.getpid()}/children').read_text().split()
            self.peaks[-1] = max(self.peaks[-1], sum(map(resident, [os.getpid(), *children])))


def resident(pid: int | str) -> int:
    """Bytes of a process, in Linux's own account; a page shared by two counts half."""
    rollup = Path(f'/proc/{pid}/smaps_rollup').read_text()
    return 1024 * next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith('Pss:'))


def peaks(config: str, options: dict, folder: str, epochs: int) -> list[int]:
    """Train, and give each epoch's peak in bytes."""
    torch.set_num_threads(1)
    cfg = load_config(str(CONFIGS / config), dict(options, **{'train_cfg.max_epochs': epochs}), folder, 'none')
    for part in ('val_cfg', 'val_dataloader', 'val_evaluator', 'test_cfg', 'test_dataloader', 'test_evaluator'):
        cfg[part] = None
    runner, memory = Runner.from_cfg(cfg), Memory()
    runner.register_hook(memory)
    runner.train()
    return memory.peaks


def main() -> None:
    """Train both forms in processes of their own, print the table, and write the rows where ``--json`` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help='3 epochs instead of 11')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the rows')
    args = parser.parse_args()
    epochs, folder = 3 if args.quick else 11, tempfile.mkdtemp()
    world, cache = f'{folder}/world', f'{folder}/cache'
    write_world(world, unlabelled=IMAGES, zero_shot=8, labelled=8, detection=(1, 1), segmentation=(1, 1))
    data = {'train_dataloader.dataset.data_root': world, 'train_dataloader.batch_size': BATCH}
    CacheFiller(str(CONFIGS / 'lgd_r18-slim_shapes_fast.py'), cache, epochs, cfg_options=data).fill()
    forms = {
        'live': ('lgd_r18-slim_shapes_fast.py', data),
        'cached': ('lgd_r18-slim_shapes_cached.py',
                   dict(data, **{'model.teacher.cache': cache, 'train_dataloader.dataset.cache': cache})),
    }
    found = {}
    for form, (config, options) in forms.items():
        with ProcessPoolExecutor(1, get_context('spawn')) as process:
            found[form] = process.submit(peaks, config, options, f'{folder}/{form}', epochs).result()

    iterations = epochs * IMAGES // BATCH
    rows = [dict(case=f'{form}, {iterations} iterations, peak memory', form='last epoch', baseline='second epoch',
                 ratio=values[1] / values[-1], spread=0., n=1) for form, values in found.items()]
    rows.append(dict(case=f'{iterations} iterations, peak memory', form='cached', baseline='live',
                     ratio=max(found['live']) / max(found['cached']), spread=0., n=1))
    table = Table('case', 'form', 'baseline', 'times as small')
    for row in rows:
        table.add_row(row['case'], row['form'], row['baseline'], f'{row["ratio"]:.3f}')
    Console().print(table)
    for form, values in found.items():
        print(f'{form}: {", ".join(f"{value / 2 ** 20:.0f}" for value in values)} MiB in epochs 1 to {epochs}')
    if args.json:
        args.json.write_text(json.dumps(dict(rows=rows, **environment()), indent=1) + '\n')


if __name__ == '__main__':
    main()
