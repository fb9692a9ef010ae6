"""``lgd-mm embed``: a student's features of images."""

from pathlib import Path
from typing import Any

import click

from lgd_mm.cli.early import check_embedding
from lgd_mm.cli.unread import tell_unread
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0


@click.command()
@click.argument('student')
@click.argument('images')
@click.option('--out', required=True, metavar='FILE', help='.parquet (with pyarrow), or .npy with the names of its '
              'rows in a .csv beside it.')
@click.option('--embedding', is_flag=True, help="Those in the teacher's space instead of the backbone's "
              'features.')
@click.option('--image-size', type=click.IntRange(min=32), metavar='N', help='Side of the images.  [default: '
              'as in the pre-training]')
def embed(images: str, out: str, **arguments: Any) -> None:
    """Write STUDENT's features of IMAGES, a row for each.

    STUDENT is the folder of a pre-training, a student's file or a checkpoint; IMAGES an image or a folder, of any
    number of them.

    \b
    Examples:
      lgd-mm embed run photos --out features.parquet
      lgd-mm embed run/student.safetensors photos --out features.npy
      lgd-mm embed run photos --embedding --out embeddings.npy
    """
    check_embedding(arguments['student'], images, Path(out))
    begin(LOADING)
    from lgd_mm.api import write_features
    done = write_features(arguments.pop('student'), images, out, **arguments)
    beside = '' if done.names == done.file else f', the names of its rows in {done.names}'
    print_rank0(f'{done.file}: {done.images} images, {done.width} numbers each{beside}')
    left_out = len(done.unreadable)
    tell_unread(done.unreadable, 'read', f'{left_out} of {done.images + left_out} images')
