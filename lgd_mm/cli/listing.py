"""``lgd-mm list``: what there is to choose from."""

from collections.abc import Callable, Collection, Iterator
from fnmatch import fnmatchcase
from typing import Any

import click

from lgd_mm.api.students import TIMM
from lgd_mm.cli.list_students import known_students, list_students
from lgd_mm.cli.list_tasks import known_tasks, list_tasks
from lgd_mm.console.words import did_you_mean
from lgd_mm.errors import UserError
from lgd_mm.student_table import HEADS

#: A name, and the line that is printed of it.
Line = tuple[str, str]


def teachers() -> Iterator[Line]:
    """Names of teachers and the side of their images."""
    from lgd_mm.api.teachers import LOCAL, SHAPES, SHAPES_FOLDER, WORLD, teacher_names, teacher_size
    yield SHAPES, (f'{SHAPES:<56}{teacher_size(f"{LOCAL}{SHAPES_FOLDER}")} px, comes with lgd_mm; '
                   f'knows {", ".join(WORLD)}')
    yield from ((name, f'{name:<56}{teacher_size(name.partition("/")[0])} px') for name in teacher_names())


def classes() -> Iterator[Line]:
    """Sets of names."""
    from mmengine.logging import MMLogger

    from lgd_mm.language import CATEGORY_SETS, category_names
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')  # what the reading of a set has to say is for a run
    try:
        for name in CATEGORY_SETS:
            names = category_names(name)
            yield name, f'{name:<14}{len(names):>6} names: {", ".join(names[:5])}, ...'
    finally:
        logger.setLevel(level)


def configs() -> Iterator[Line]:
    """Ready configs below their folder."""
    from lgd_mm.api.configs import config_root, ready_configs
    yield from ((name, str(config_root() / name)) for name in ready_configs())


def models() -> Iterator[Line]:
    """What mmpretrain.get_model knows of lgd_mm."""
    import mmpretrain
    yield from ((name, name) for name in mmpretrain.list_models('*lgd*'))


LISTS: dict[str, Callable[[], Iterator[Line]]] = dict(
    teachers=teachers, classes=classes, configs=configs, models=models)
STUDENTS, TASKS = 'students', 'tasks'
#: Options that only one of the lists takes.
OPTIONS = {STUDENTS: ('max_params', 'head', 'size'), TASKS: ('metric', )}


@click.command('list')
@click.argument('what', type=click.Choice([STUDENTS, TASKS, *LISTS], case_sensitive=False))
@click.argument('words', nargs=-1, metavar='[PART]...')
@click.option('--max-params', type=click.FloatRange(min=0, min_open=True), metavar='MILLIONS',
              help='Students with at most as many parameters.')
@click.option('--head', type=click.Choice(list(HEADS), case_sensitive=False),
              help='Students that serve it: fpn is for detectors and segmenters on strides 4 to 32, dense for dense '
                   'guidance.')
@click.option('--size', type=click.IntRange(min=1), metavar='PIXELS', help='Students that take images of this side.')
@click.option('--metric', metavar='NAME', help='Tasks that measure it, such as mIoU.')
def list_names(what: str, words: tuple[str, ...], **wanted: Any) -> None:
    """What there is to choose from; names have every PART in them, or fit it where it has a *, in any case.

    \b
    Examples:
      lgd-mm list students --max-params 10 --head fpn
      lgd-mm list tasks coco
      lgd-mm list teachers vit-b-16 laion
      lgd-mm list configs "coco/*"
    """
    def named(name: str) -> bool:
        return all(_has(name.casefold(), word.casefold()) for word in words)

    for option, value in wanted.items():
        if value is not None and option not in OPTIONS.get(what, ()):
            owner = next(name for name, options in OPTIONS.items() if option in options)
            raise UserError(f'--{option.replace("_", "-")} is for `lgd-mm list {owner}`: leave it out for {what}')
    of_list = {option: wanted[option] for option in OPTIONS.get(what, ())}
    known: Collection[str]
    if what == STUDENTS:
        known = known_students()
        lines = list_students(named, **of_list)
    elif what == TASKS:
        known = known_tasks()
        lines = list_tasks(named, words, **of_list)
    else:
        known = found = dict(LISTS[what]())
        lines = [line for name, line in found.items() if named(name)]
    if not lines:
        near = did_you_mean(' '.join(words), known)
        raise UserError(f'none of the {what} is called {" ".join(words)!r}: {near}`lgd-mm list {what}` prints all')
    click.echo('\n'.join(lines))


def _has(name: str, word: str) -> bool:
    """A pattern may leave out what timm's names begin with."""
    return word in name or any(fnmatchcase(part, word) for part in (name, name.removeprefix(TIMM)))
