"""``lgd-mm embed``: a student's features of images."""

from pathlib import Path
from typing import Any

import click

from lgd_mm.cli.early import check_embedding
from lgd_mm.console.printable import printable
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import DataError


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
    if done.unreadable:
        for line in done.unreadable[:-1]:
            click.echo(f'not read: {printable(line)}', err=True)
        raise DataError(f'{len(done.unreadable)} of {done.images + len(done.unreadable)} images could not be read, the '
                        f'last of them {done.unreadable[-1]}')
