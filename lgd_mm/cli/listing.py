"""``lgd-mm list``: what there is to choose from."""

from collections.abc import Callable, Iterable
from fnmatch import fnmatch

import click

from lgd_mm.errors import UserError


def students() -> Iterable[str]:
    """Names of students and their configs."""
    import timm

    from lgd_mm.api.students import STUDENTS, TIMM, TIMM_CONFIG
    yield from (f'{name:<48}{config}' for name, config in STUDENTS.items())
    yield from (f'{TIMM + name:<48}{TIMM_CONFIG}' for name in timm.list_models())


def teachers() -> Iterable[str]:
    """Names of teachers and the side of their pictures."""
    from lgd_mm.api.teachers import LOCAL, SHAPES, SHAPES_FOLDER, teacher_names, teacher_size
    yield f'{SHAPES:<56}{teacher_size(f"{LOCAL}{SHAPES_FOLDER}")} px, comes with lgd_mm'
    yield from (f'{name:<56}{teacher_size(name.partition("/")[0])} px' for name in teacher_names())


def classes() -> Iterable[str]:
    """Sets of names."""
    from lgd_mm.language import CATEGORY_SETS, category_names
    for name in CATEGORY_SETS:
        names = category_names(name)
        yield f'{name:<14}{len(names):>6} names: {", ".join(names[:5])}, ...'


def configs() -> Iterable[str]:
    """Ready configs below their folder."""
    from lgd_mm.api.configs import config_root, ready_configs
    yield from (str(config_root() / name) for name in ready_configs())


def models() -> Iterable[str]:
    """What mmpretrain.get_model knows of lgd_mm."""
    import mmpretrain
    yield from mmpretrain.list_models('*lgd*')


LISTS: dict[str, Callable[[], Iterable[str]]] = dict(
    students=students, teachers=teachers, classes=classes, configs=configs, models=models)


@click.command('list')
@click.argument('what', type=click.Choice(list(LISTS)))
@click.argument('pattern', required=False)
def list_names(what: str, pattern: str | None) -> None:
    """What there is to choose from; PATTERN is a part of a name, or has * in it.

    \b
    Examples:
      lgd-mm list students
      lgd-mm list teachers ViT-B-16
      lgd-mm list configs "*coco*"
    """
    from mmengine.logging import MMLogger
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')  # what the reading of a set has to say is for a run
    try:
        lines = [line for line in LISTS[what]()
                 if not pattern or pattern in line.split()[0] or fnmatch(line.split()[0], pattern)]
    finally:
        logger.setLevel(level)
    if not lines:
        raise UserError(f'none of the {what} is called {pattern!r}: `lgd-mm list {what}` prints all')
    click.echo('\n'.join(lines))
