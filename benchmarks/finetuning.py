"""Top-1 of students of ``make suite`` that are fine-tuned on 1,000 labelled images of its world, by the learning rate.

    python benchmarks/finetuning.py --seeds 0 1 2

A run that is done is not done again.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

#: Batch of a run; rates are for 256 images.
BATCH = 32
#: Views of half an image and more, at a size of the generated images.
VIEWS = ('train_dataloader.dataset.pipeline.1.scale=64',
         'train_dataloader.dataset.pipeline.1.crop_ratio_range=(0.5,1.0)',
         *(f'{split}_dataloader.dataset.pipeline.{key}=64' for split in ('val', 'test')
           for key in ('1.scale', '2.crop_size')), 'train_cfg.val_interval=2')
#: The recipe of training from random weights: one rate for all layers, in steps.
SCRATCH = ('optim_wrapper.paramwise_cfg=None',
           "param_scheduler=[dict(type='MultiStepLR',by_epoch=True,milestones=[3,6,9],gamma=0.1)]")
#: Recipe -> rate for 256 images, and what else differs from the config.
RECIPES = {'0.1, steps': (0.1, SCRATCH), '0.01': (0.01, ()), '0.03': (0.03, ()), '0.1': (0.1, ()), '0.3': (0.3, ())}


def class_folders(world: Path, folder: Path) -> Path:
    """Links to the images of the lists for the probe and for testing, by class."""
    for split, names, images in (('train', 'probe_shapes', 'labelled'), ('val', 'zero_shot_shapes', 'zero_shot')):
        for line in (world / f'meta/{names}.txt').read_text().splitlines():
            link = folder / split / line.split()[0]
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to((world / images / line.split()[0]).resolve())
    return folder


def top1(student: Path, data: Path, out: Path, recipe: str, seed: int) -> float:
    """After the last of ten epochs, in percent."""
    log, (rate, options) = out.with_suffix('.log'), RECIPES[recipe]
    if not log.is_file():
        command = [sys.executable, '-m', 'lgd_mm', 'finetune', '--task', 'classification', '--student', str(student),
                   '--data', str(data), '--out', str(out), '--overwrite', '--epochs', '10', '--seed', str(seed),
                   '--workers', '1', '--batch-size', str(BATCH), '--lr', str(rate * BATCH / 256), *VIEWS, *options]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        log.write_text(done.stdout)
    return float(re.findall(r'accuracy/top1: ([\d.]+)', log.read_text())[-1])


def main() -> None:
    """Print a row for each recipe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seeds', type=int, nargs='+', default=[0], help='student of seed N modulo 3 (default: 0)')
    parser.add_argument('--recipes', nargs='+', choices=RECIPES, default=list(RECIPES), help='default: all')
    parser.add_argument('--world', type=Path, default='work_dirs/quickstart/data', help='default: %(default)s')
    parser.add_argument('--students', type=Path, default='work_dirs/suite/lgd', help='default: %(default)s')
    parser.add_argument('--out', type=Path, default='work_dirs/finetuning', help='default: %(default)s')
    given = parser.parse_args()
    data = class_folders(given.world, given.out / 'data')
    table = Table('recipe', *(f'seed {seed}' for seed in given.seeds), 'mean')
    for recipe in given.recipes:
        found = [top1(given.students / f'seed{seed % 3}/pre-training/student.safetensors', data,
                      given.out / f'{recipe.replace(", ", "-")}_{seed}', recipe, seed) for seed in given.seeds]
        table.add_row(recipe, *(f'{value:.1f}' for value in found), f'{sum(found) / len(found):.1f}')
    Console().print(table)


if __name__ == '__main__':
    main()
