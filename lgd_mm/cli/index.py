"""``lgd-mm index``: where each of very many images lies."""

import click

from lgd_mm.cli.early import check_index
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0


@click.command()
@click.argument('images')
@click.option('--out', required=True, metavar='FOLDER', help='Folder of the index.')
@click.option('--jobs', type=click.IntRange(min=1), metavar='N', help='Processes.  [default: one for each CPU core]')
@click.option('--unchecked', is_flag=True, help='Do not read the images: quicker, but one that is damaged later is '
              'taught.')
def index(images: str, out: str, jobs: int | None, unchecked: bool) -> None:
    """Write down once where each image below the folder IMAGES lies, or each in the shards (*.tar) below it.

    The index takes the place of the folder in `lgd-mm pretrain`, and runs begin at once. Stopped, the same command goes
    on.

    \b
    Examples:
      lgd-mm index photos --out photos.index
      lgd-mm pretrain --images photos.index --classes names.txt --out run
    """
    check_index(images, out)
    begin(LOADING)
    from lgd_mm import api
    found = api.index(images, out, jobs=jobs, checked=not unchecked)
    print_rank0(f'{out}: {len(found):,} images in {len(found.sources()):,} {found.kind}')
