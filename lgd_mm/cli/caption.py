"""``lgd-mm caption``: what is on images, in words."""

from typing import Any

import click

from lgd_mm.cli.early import check_captioning
from lgd_mm.cli.seeing import seen_by
from lgd_mm.cli.unread import tell_unread
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0


@click.command()
@click.argument('student')
@click.argument('images', nargs=-1, required=True)
@seen_by
@click.option('--beams', type=click.IntRange(min=1), metavar='N', help='Captions that are followed at a time.  '
              '[default: as it was trained]')
@click.option('--out', metavar='FILE', help='Write image and caption there: .csv or .json.')
def caption(out: str | None, **arguments: Any) -> None:
    """Write a caption for each of IMAGES.

    STUDENT is a student of vision and language that was trained for captions: the folder of its training,
    student.safetensors or a checkpoint. IMAGES are folders of images, or images.

    \b
    Examples:
      lgd-mm caption student photos --detector detector
      lgd-mm caption student/student.safetensors photo.jpg --detector rcnn.pth --config rcnn.py
      lgd-mm caption student photos --detector detector --beams 5 --out captions.csv
    """
    check_captioning(arguments, out)
    begin(LOADING)
    from lgd_mm import api
    from lgd_mm.console.columns import aligned
    from lgd_mm.vision_language.files import CAPTIONS
    found = api.caption(**arguments)
    if out is not None:
        print_rank0(f'{found.write(out)}: captions of {len(found.paths)} images')
    else:
        print_rank0('\n'.join(aligned([CAPTIONS, *zip(found.paths, found.captions)])))
    left_out = len(found.unreadable)
    tell_unread(found.unreadable, 'read', f'{left_out} of {len(found.paths) + left_out} images')
