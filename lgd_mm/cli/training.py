"""Commands that train."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Any

import click

from lgd_mm.cli.early import check_finetuning, check_pretraining
from lgd_mm.cli.options import AUTO, auto, folder_of_run, gpus, overrides, parsed
from lgd_mm.cli.spawn import spread
from lgd_mm.console.interrupts import STATUS
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import rank

if TYPE_CHECKING:
    from lgd_mm.api import Run

TASKS = ('classification', 'linear-probe', 'detection', 'instance-segmentation', 'segmentation')
SEED = click.IntRange(0, 2**32 - 1)  # NumPy takes no other
AMP = click.Choice([AUTO, 'fp16', 'bf16', 'off'])


@click.command()
@click.option('--images', required=True, metavar='FOLDER', help='Images, nested or flat, or an index of some; no label '
              'is read.')
@click.option('--classes', required=True, metavar='NAMES', help='A set (coco), a file of names (.txt), a COCO JSON, or '
              'names separated by commas.')
@click.option('--student', default='resnet18', show_default=True, metavar='NAME', help='See lgd-mm list students.')
@click.option('--teacher', default='RN50/openai', show_default=True, metavar='MODEL/TAG',
              help='Of open_clip (lgd-mm list teachers), MODEL/TAG=FILE, local-dir:FOLDER, or shapes: a tiny one for '
              'trying commands, which knows eight shapes (circle, star, ...) in six colours.')
@click.option('--recipe', type=click.Choice([AUTO, 'dense', 'published']), default=AUTO, show_default=True,
              help='dense: the names are read at every position as well; auto: dense if student and teacher give maps, '
              'but published for a student of timm.')
@folder_of_run
@click.option('--init', metavar='FILE', help='Weights that the student starts from.')
@auto('--epochs', int, 'Passes over the images.')
@auto('--batch-size', int, 'Images of a batch on each device.')
@auto('--accumulate', int, 'Batches of an optimiser step.')
@click.option('--optimizer', type=click.Choice([AUTO, 'sgd', 'adamw']), default=AUTO, show_default=True,
              help='sgd is the published one, adamw for short runs.')
@auto('--lr', float, 'Highest learning rate.')
@auto('--image-size', int, 'Side of a view, in pixels.')
@click.option('--amp', type=AMP, default=AUTO, show_default=True, help='Mixed precision.')
@auto('--workers', int, 'Loader processes on each device.')
@click.option('--templates', metavar='FILE', help="Prompts, one on each line, {} for the name.  [default: OpenAI's 80]")
@click.option('--seed', type=SEED, default=0, show_default=True, help='Of weights and views.')
@click.option('--tracker', type=click.Choice(['tensorboard', 'wandb']), help='Log there as well.')
@click.option('--watch', metavar='FOLDER', help='Held-out images, best in CLASS/*: accuracy and rank of the student '
              'on them are logged while it learns; nothing of the training changes.')
@click.option('--watch-every', type=click.IntRange(min=1), default=1, show_default=True, metavar='N',
              help='Epochs from one such look to the next.')
@click.option('--keep-best', is_flag=True, help='Keep the checkpoint with the best figure of --watch.')
@click.option('--patience', type=click.IntRange(min=1), metavar='N', help='End after N looks without a better figure.')
@gpus
@overrides
def pretrain(**arguments: Any) -> None:
    """Pre-train a student from images and names.

    Further settings are keys of the config, as KEY=VALUE; everything that was settled is in
    OUT/resolved_config.py, with its reasons.

    \b
    Examples:
      lgd-mm pretrain --images photos --classes names.txt --out run
      lgd-mm pretrain --images photos --classes "cat,dog,guinea pig" --student mobilenetv2 --epochs 50 --out run
      lgd-mm pretrain --images photos --classes coco --teacher ViT-B-16/laion2b_s34b_b88k --gpus 8 --out run
      lgd-mm pretrain --images photos --classes names.txt --out run model.lgka.momentum=0.99
      lgd-mm pretrain --images photos --classes names.txt --out run --watch held_out --keep-best
      lgd-mm pretrain --images photos --classes names.txt --out run --resume
    """
    check_pretraining(arguments)
    begin(LOADING)
    spread(arguments.pop('gpus'))
    from lgd_mm import api
    with resumable(arguments['out']):
        run = api.pretrain(**parsed(arguments))
    commands: list[Sequence[str | Path]] = [
        ('zero-shot', run.out, folder) for folder in _folders(arguments['images'])]
    _summary(run, *commands, ('export', run.out, '--to', 'onnx', '--out', run.out / 'onnx'))


def _folders(images: str) -> list[Path]:
    """The folder of the images; of an index that of those it lists, if they are here and in no shards."""
    from lgd_mm.api.images import is_index
    from lgd_mm.datasets.index import ImageIndex
    from lgd_mm.storage import is_url
    if not is_index(images):
        return [Path(images)]
    index = ImageIndex(images)
    return [Path(index.root)] if index.kind == 'folders' and not is_url(index.root) else []


@click.command()
@click.option('--task', required=True, type=click.Choice(TASKS), help='What the student is to do.')
@click.option('--student', metavar='FILE', help='Folder of a pre-training, student.safetensors, or a checkpoint.')
@click.option('--backbone', metavar='NAME', help='See lgd-mm list students: to begin at random, or for weights that do '
              'not say what they are of.')
@click.option('--data', required=True, metavar='FOLDER', help='Class folders, COCO, YOLO, VOC, masks and '
              'more: docs/own_data.md.')
@folder_of_run
@auto('--epochs', int, 'Passes over the images.')
@auto('--batch-size', int, 'Images of a batch on each device.')
@auto('--lr', float, 'Highest learning rate.')
@auto('--image-size', int, 'Longer side of the images in detection and segmentation, in pixels.')
@click.option('--amp', type=AMP, default=AUTO, show_default=True, help='Mixed precision.')
@auto('--workers', int, 'Loader processes on each device.')
@click.option('--seed', type=SEED, default=0, show_default=True, help='Of weights and batches.')
@click.option('--tracker', type=click.Choice(['tensorboard', 'wandb']), help='Log there as well.')
@gpus
@overrides
def finetune(**arguments: Any) -> None:
    """Train a student on for a downstream task.

    \b
    Examples:
      lgd-mm finetune --task classification --student run --data birds --out birds_run --epochs 20
      lgd-mm finetune --task detection --student run/student.safetensors --data my_coco --gpus 4 --out detector
      lgd-mm finetune --task detection --backbone timm/repvit_m0_9 --data my_coco --out from_random
      lgd-mm finetune --task segmentation --student run --data my_masks --out segmentor train_cfg.val_interval=500
    """
    check_finetuning(arguments)
    begin(LOADING)
    spread(arguments.pop('gpus'))
    from lgd_mm import api
    with resumable(arguments['out']):
        run = api.finetune(**parsed(arguments))
    _summary(run, ['evaluate', run.out, '--data', Path(arguments['data'])],
             ['predict', run.out, 'IMAGES', '--out', run.out / 'predictions'])


@contextmanager
def resumable(out: str) -> Iterator[None]:
    """After Ctrl-C, say how to go on.

    Args:
        out (str): Folder of the run.
    """
    try:
        yield
    except KeyboardInterrupt:
        if not rank():
            click.echo(f'\nStopped. The same command with --resume (instead of --overwrite) goes on from the last '
                       f'checkpoint in {out}, if there is one.', err=True)
        sys.exit(STATUS)


def _summary(run: 'Run', *commands: Sequence[str | Path]) -> None:
    """What a run left, and what may be typed next; of several processes, the first one tells it."""
    if rank():
        return
    figures = {**run.losses, **run.metrics}
    left = dict(student=run.student, checkpoint=run.checkpoint, settings=run.config)
    for name, value in left.items():
        if value is not None:
            click.echo(f'{name + ":":<12}{value}')
    if figures:
        click.echo(f'{"last:":<12}' + ', '.join(f'{name} {value:.4g}' for name, value in figures.items()
                                               if isinstance(value, (int, float))))
    for index, command in enumerate(commands):
        click.echo(f'{"" if index else "next:":<12}{join(["lgd-mm", *map(_word, command)])}')


def _word(part: str | Path) -> str:
    """A part of a command; no path is taken for an option."""
    return f'./{part}' if isinstance(part, Path) and str(part).startswith('-') else str(part)
