"""``lgd-mm inspect``: what is in a data set, and what is wrong with it."""

import json

import click

from lgd_mm.cli.early import check_inspection
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0


@click.command()
@click.argument('folder')
@click.option('--out', default='inspection.html', show_default=True, metavar='FILE.html', help='The page, which needs '
              'nothing beside it.')
@click.option('--json', 'as_json', is_flag=True, help='Print the facts as JSON.')
def inspect(folder: str, out: str, as_json: bool) -> None:
    """Look at the data set FOLDER: format, parts, classes, sizes, problems, and some images with their labels.

    FOLDER is of any format that --data takes, or has images without labels; nothing is changed in it.

    \b
    Examples:
      lgd-mm inspect my_set
      lgd-mm inspect photos --out photos.html --json
    """
    check_inspection(folder, out)
    begin(LOADING)
    from lgd_mm import api
    from lgd_mm.inspection.facts_in_words import lines_of, values_of
    found = api.inspect(folder, out)
    if as_json:
        print_rank0(json.dumps(values_of(found), indent=1))
        return
    for line in lines_of(found):
        print_rank0(line)
    print_rank0(f'{"page:":<12}{out}')
