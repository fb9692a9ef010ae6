"""The command that brings a data set into a form that is trained on."""

from typing import Any

import click

from lgd_mm.cli.early import check_conversion
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.formats.recognise import FORMATS


@click.command()
@click.argument('source', metavar='IN')
@click.argument('out')
@click.option('--from', 'form', type=click.Choice([*FORMATS]), help='What IN is.  [default: it is recognised]')
@click.option('--to', type=click.Choice(['coco', 'masks', 'folders']), help='What OUT is to be.  [default: what goes '
              'with the labels]')
@click.option('--void', metavar='VALUE|R,G,B|NAME', help='Of masks: what is no class and counts nowhere.  [default: '
              'as void.txt in IN says, or else 255]')
@click.option('--class-table', metavar='FILE', help='Of masks: the name of each value or colour.  [default: that in '
              'IN: classes.txt, labelmap.txt, ...]')
@click.option('--val-share', type=float, default=0.2, show_default=True, help='Share of the images to measure by, '
              'if IN has no such part.')
def convert(**arguments: Any) -> None:
    """Write the data set IN, of whatever format, as the folder OUT that is trained on, and say what is doubtful.

    Images are hard links, or copies where there can be none; nothing is written into IN.

    \b
    Examples:
      lgd-mm convert my_yolo_set my_set
      lgd-mm convert labelme_folder my_masks --to masks
      lgd-mm convert camvid my_masks --class-table class_dict.csv --void Void
    """
    check_conversion(arguments)
    begin(LOADING)
    from lgd_mm import api
    api.convert(**arguments)
