"""Commands that use what was trained."""

from typing import Any

import click

from lgd_mm.cli.early import check_evaluation, check_zero_shot
from lgd_mm.cli.options import overrides, parsed
from lgd_mm.console.printable import printable
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0


@click.command('zero-shot')
@click.argument('student')
@click.argument('images')
@click.option('--classes', metavar='NAMES', help='As of pretrain.  [default: those of the pre-training]')
@click.option('--templates', metavar='FILE', help='As of pretrain.')
@click.option('--teacher', metavar='MODEL/TAG', help='Where the teacher is now.  [default: where it was]')
@click.option('--image-size', type=click.IntRange(min=32), metavar='N', help='Side of the images.  [default: '
              'as in the pre-training]')
@click.option('--top', type=click.IntRange(min=1), default=5, show_default=True, help='Names of each image.')
@click.option('--out', metavar='FILE.csv', help='Write picture, rank, name and score there.')
def zero_shot(top: int, out: str | None, **arguments: Any) -> None:
    """Classify IMAGES by names, without labels.

    STUDENT is the folder of a pre-training or a checkpoint in it; IMAGES an image or a folder.

    \b
    Examples:
      lgd-mm zero-shot run photos --out predictions.csv
      lgd-mm zero-shot run photo.jpg --classes "cat,dog,guinea pig"
    """
    check_zero_shot(arguments, out)
    begin(LOADING)
    from rich.table import Table
    from rich.text import Text

    from lgd_mm import api
    from lgd_mm.console.tables import PlainConsole
    found = api.zero_shot(**arguments)
    for line in found.unreadable:
        click.echo(f'left out: {printable(line)}', err=True)
    if out:
        print_rank0(f'{found.write(out, top)}: {len(found.paths)} images, {len(found.names)} names')
        return
    table = Table('image', *(f'{rank}.' for rank in range(1, min(top, len(found.names)) + 1)))
    for path, best in zip(found.paths, found.top(top)):
        words = path, *(f'{name} {score:.0%}' for name, score in best)
        table.add_row(*(Text(printable(word)) for word in words))  # Text: a bracket in a name is no style
    PlainConsole().print(table)


@click.command()
@click.argument('run')
@click.option('--data', metavar='FOLDER', help='Labelled images in {train,val}/CLASS/*; of a fine-tuning, any '
              'format of docs/own_data.md.  [default: those of the fine-tuning]')
@click.option('--classes', metavar='NAMES', help='Names for zero-shot.  [default: the class folders]')
@click.option('--teacher', metavar='MODEL/TAG', help='Where the teacher is now.  [default: where it was]')
@click.option('--out', metavar='FOLDER', help='For features and logs.  [default: evaluation beside the student]')
@overrides
def evaluate(**arguments: Any) -> None:
    """Evaluate a student, or a fine-tuned network.

    RUN is the folder of a pre-training or a student's file, which is evaluated by zero-shot, k-NN and linear probe; or
    the folder of a fine-tuning.

    \b
    Examples:
      lgd-mm evaluate run --data birds
      lgd-mm evaluate run --data birds --classes bird_names.txt
      lgd-mm evaluate detector
    """
    check_evaluation(arguments)
    begin(LOADING)
    from rich.table import Table
    from rich.text import Text

    from lgd_mm import api
    from lgd_mm.console.tables import PlainConsole
    table = Table('figure', 'value')
    for name, value in api.evaluate(**parsed(arguments)).items():
        table.add_row(Text(name), Text(f'{value:.4g}' if isinstance(value, (int, float)) else str(value)))
    PlainConsole().print(table)
