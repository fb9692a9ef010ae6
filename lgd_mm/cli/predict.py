"""``lgd-mm predict``: what a trained network finds in images and videos."""

import signal
from typing import Any

import click

from lgd_mm.cli.early import check_prediction
from lgd_mm.cli.unread import tell_unread
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import Stopped

#: What a network may be asked for.
TASKS = ('classification', 'detection', 'instance-segmentation', 'segmentation')


@click.command()
@click.argument('network')
@click.argument('images', nargs=-1, required=True)
@click.option('--out', required=True, metavar='FOLDER', help='For predictions, drawings and a page that shows them.')
@click.option('--task', type=click.Choice(TASKS), help='Refuse a network of another task.')
@click.option('--score', type=click.FloatRange(0, 1), default=0.3, show_default=True, metavar='SCORE',
              help='Of the objects that are drawn, at least; predictions.json has all.')
@click.option('--no-drawing', is_flag=True, help='Write the predictions alone.')
@click.option('--ids', metavar='FILE.json', help='Annotations in COCO format whose numbers of images and categories '
              'are taken.  [default: counted from 1]')
@click.option('--every', type=click.IntRange(min=1), default=1, show_default=True, metavar='N',
              help='Of a video, take every N-th frame.')
@click.option('--batch-size', type=click.IntRange(min=1), default=8, show_default=True, metavar='N',
              help='Images that are read at a time.')
def predict(no_drawing: bool, **arguments: Any) -> None:
    """Predict IMAGES with a trained NETWORK and draw what it finds.

    NETWORK is the folder of a fine-tuning or a checkpoint in it; IMAGES are folders of images and videos, or files.
    What was stopped goes on by the same command.

    \b
    Examples:
      lgd-mm predict detector photos --out found
      lgd-mm predict detector clip.mp4 --every 5 --score 0.5 --out found
      lgd-mm predict detector my_set/val --ids my_set/annotations/val.json --no-drawing --out found
    """
    check_prediction(arguments)
    begin(LOADING)
    from lgd_mm import api
    try:
        found = api.predict(**arguments, drawing=not no_drawing)
    except KeyboardInterrupt:
        raise Stopped(signal.SIGINT, f'stopped: the same command goes on with what is left of {arguments["out"]}'
                      ) from None
    print_rank0(f'{found.file}: {found.task} of {found.images} images')
    if found.page is not None:
        print_rank0(f'{found.page}: shows them')
    tell_unread(found.left_out, 'read whole', f'{len(found.left_out)} images or videos')
