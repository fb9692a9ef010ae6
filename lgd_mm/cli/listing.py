"""``lgd-mm list``: what there is to choose from."""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

import click

from lgd_mm.console.words import did_you_mean
from lgd_mm.errors import UserError

#: A name, and the line that is printed of it.
Line = tuple[str, str]


def students() -> Iterator[Line]:
    """Names of students and their configs."""
    import timm

    from lgd_mm.api.students import STUDENTS, TIMM, TIMM_CONFIG
    yield from ((name, f'{name:<48}{config}') for name, config in STUDENTS.items())
    yield from ((TIMM + name, f'{TIMM + name:<48}{TIMM_CONFIG}') for name in timm.list_models())


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
    students=students, teachers=teachers, classes=classes, configs=configs, models=models)


@click.command('list')
@click.argument('what', type=click.Choice(list(LISTS), case_sensitive=False))
@click.argument('words', nargs=-1, metavar='[PART]...')
def list_names(what: str, words: tuple[str, ...]) -> None:
    """What there is to choose from; each PART is a part of the name, or a pattern with * in it, in any case.

    \b
    Examples:
      lgd-mm list students
      lgd-mm list teachers vit-b-16 laion
      lgd-mm list configs "coco/*"
    """
    known = dict(LISTS[what]())
    lines = [line for name, line in known.items() if all(_has(name.casefold(), word.casefold()) for word in words)]
    if not lines:
        near = did_you_mean(' '.join(words), known)
        raise UserError(f'none of the {what} is called {" ".join(words)!r}: {near}`lgd-mm list {what}` prints all')
    click.echo('\n'.join(lines))


def _has(name: str, word: str) -> bool:
    return word in name or fnmatchcase(name, word)
