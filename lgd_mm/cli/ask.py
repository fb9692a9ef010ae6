"""``lgd-mm ask``: questions about images."""

from typing import Any

import click

from lgd_mm.cli.early import check_asking
from lgd_mm.cli.seeing import seen_by
from lgd_mm.cli.unread import tell_unread
from lgd_mm.console.printable import printable
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0


@click.command()
@click.argument('student')
@click.argument('images')
@click.argument('questions', nargs=-1, required=True)
@seen_by
@click.option('--top', type=click.IntRange(min=1), default=3, show_default=True, metavar='N',
              help='Answers to each question.')
@click.option('--out', metavar='FILE', help='Write image, question, rank, answer and probability there: .csv or '
              '.json.')
def ask(out: str | None, **arguments: Any) -> None:
    """Ask QUESTIONS about IMAGES.

    STUDENT is a student of vision and language that was trained for answers: the folder of its training,
    student.safetensors or a checkpoint. IMAGES is an image or a folder.

    \b
    Examples:
      lgd-mm ask student photo.jpg "what colour is the car?" --detector detector
      lgd-mm ask student photos "is it raining?" "how many people are there?" --detector detector --out answers.csv
    """
    check_asking(arguments, out)
    begin(LOADING)
    from lgd_mm import api
    from lgd_mm.console.columns import aligned
    from lgd_mm.vision_language.files import ANSWERS
    found = api.ask(**arguments)
    for question, words in found.unknown.items():
        click.echo(printable(f'not known to the student in {question!r}: {", ".join(words)}'), err=True)
    if out is not None:
        print_rank0(f'{found.write(out)}: {len(found.questions)} questions about {len(found.paths)} images')
    else:
        rows = ((*others, f'{probability:.1%}') for *others, probability in found.rows())
        print_rank0('\n'.join(aligned([ANSWERS, *rows])))
    left_out = len(found.unreadable)
    tell_unread(found.unreadable, 'read', f'{left_out} of {len(found.paths) + left_out} images')
