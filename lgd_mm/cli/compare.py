"""``lgd-mm compare``: which method is best on one's own images."""

import sys
from typing import Any

import click

from lgd_mm.api.methods import COMPARED
from lgd_mm.cli.early import check_comparison
from lgd_mm.comparison.early import METHODS
from lgd_mm.console.interrupts import STATUS
from lgd_mm.console.progress import LOADING, begin


class ManyValues(click.Command):
    """Takes ``--methods dense lgd`` beside ``--methods dense --methods lgd``."""

    MANY = ('--methods', '--students')

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's, with the name of an option before each of its values."""
        words: list[str] = []
        option = None
        for word in args:
            if word.startswith('-'):
                option = word if word in self.MANY else None
            elif option and words[-1] != option:
                words.append(option)
            words.append(word)
        return super().parse_args(ctx, words)


@click.command(cls=ManyValues)
@click.option('--images', metavar='FOLDER', help='Unlabelled images, nested or flat.')
@click.option('--classes', metavar='NAMES', help='A set (coco), a file of names (.txt), a COCO JSON, or names with '
              'commas between them.')
@click.option('--detection', metavar='SET', help='A set with boxes, as in docs/own_data.md.')
@click.option('--segmentation', metavar='SET', help='A set with masks, as in docs/own_data.md.')
@click.option('--classification', metavar='FOLDER', help='Images in {train,val}/CLASS/*.')
@click.option('--methods', multiple=True, metavar='NAME...', help=f'Of {", ".join(COMPARED)}.  '
              f'[default: {" ".join(METHODS)}]')
@click.option('--students', multiple=True, metavar='NAME...', help='See lgd-mm list students.  [default: resnet18]')
@click.option('--teacher', default='RN50/openai', show_default=True, metavar='MODEL/TAG', help='As of pretrain.')
@click.option('--seeds', type=int, default=3, show_default=True, metavar='N', help='Runs of each figure.')
@click.option('--budget', metavar='TIME', help='For everything on this machine, such as 30m or 2h: a few steps are '
              'measured, and schedules that fit are chosen.')
@click.option('--image-size', type=click.IntRange(min=32), metavar='N', help='Longer side of the images of detection '
              'and segmentation, in pixels.  [default: what fits]')
@click.option('--jobs', type=click.IntRange(min=1), metavar='N', help='Runs at a time without GPUs (default: 1).')
@click.option('--dry-run', is_flag=True, help='Measure and tell what it takes; run nothing.')
@click.option('--out', required=True, metavar='FOLDER', help='For suite, runs and report; the same command goes on.')
def compare(**arguments: Any) -> None:
    """Compare methods of pre-training on your own images and sets.

    A suite is written to OUT/suite.yaml and run; OUT/report.html is what came out. Edit the suite, and
    `lgd-mm compare --out OUT` runs what has changed.

    \b
    Examples:
      lgd-mm compare --images photos --classes names.txt --detection boxes --budget 2h --out comparison
      lgd-mm compare --images photos --classes names.txt --detection boxes --segmentation masks
        --methods dense lgd seed mimicking random --students resnet18 mobilenetv2 --out comparison
      lgd-mm compare --images photos --classes names.txt --classification birds --budget 30m --dry-run --out comparison
      lgd-mm compare --out comparison
    """
    for name, default in dict(methods=METHODS, students=('resnet18', )).items():
        given = [part for word in arguments[name] for part in word.split(',') if part]
        arguments[name] = given or list(default)
    check_comparison(arguments)
    begin(LOADING)
    from lgd_mm.comparison.compare import compare as run
    try:
        run(**arguments)
    except KeyboardInterrupt:
        click.echo(f'\nStopped. The same command goes on, as does lgd-mm compare --out {arguments["out"]}.', err=True)
        sys.exit(STATUS)
