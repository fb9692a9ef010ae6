"""Threads, open files and memory of a long run: python tests/faults/growth.py [--iterations 5000]."""

import argparse
import os
import tempfile
from pathlib import Path

from mmengine.hooks import Hook

from lgd_mm.engine.launch import train
from lgd_mm.registry import HOOKS
from tests.tiny import write_images, write_lgd_config


@HOOKS.register_module(force=True)
class GrowthHook(Hook):
    """Looks at the process after each epoch."""

    seen: list[dict[str, float]] = []

    def before_train(self, runner) -> None:
        type(self).seen = []

    def after_train_epoch(self, runner) -> None:
        status = dict(line.split(':', 1) for line in Path('/proc/self/status').read_text().splitlines())
        self.seen.append(dict(iteration=runner.iter, threads=int(status['Threads']),
                              files=len(os.listdir('/proc/self/fd')), megabytes=int(status['VmRSS'].split()[0]) / 1024))


def main() -> None:
    """Print what was seen at a tenth of the run and at its end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--iterations', type=int, default=5000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder, 'pictures'), 200)
        config = write_lgd_config(Path(folder, 'config'), Path(folder, 'pictures'),
                                  default_hooks=dict(logger=dict(interval=50), checkpoint=dict(max_keep_ckpts=2)))
        hooks = [dict(type=f'lgd_mm.{name}Hook') for name in ('IterationSeed', 'NonFinite', 'Health', 'Growth')]
        train(str(config), work_dir=str(Path(folder, 'run')), cfg_options={
            'custom_hooks': hooks, 'train_cfg.max_epochs': args.iterations // 50, 'train_dataloader.num_workers': 1,
            'train_dataloader.persistent_workers': True})
    for place in (len(GrowthHook.seen) // 10, -1):
        print(GrowthHook.seen[place])


if __name__ == '__main__':
    main()
