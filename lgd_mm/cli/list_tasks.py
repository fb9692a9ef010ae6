"""``lgd-mm list tasks``: what a student can be measured on in a suite, and the card of each task."""

import textwrap
from collections.abc import Callable, Sequence

from lgd_mm.console.columns import aligned
from lgd_mm.errors import UserError
from lgd_mm.suite.task_registry import RegisteredTask, registered_tasks

TITLES = ('task', 'version', 'column of a table', 'metrics', 'test images')
#: How to have fewer, and more of one; said below the list.
NARROWER = 'fewer with parts of the name, --metric NAME; the card of one with its whole name'


def list_tasks(named: Callable[[str], bool], words: Sequence[str], metric: str | None) -> list[str]:
    """The lines of the list, or a card.

    Args:
        named (Callable[[str], bool]): Whether a task is asked for by its name.
        words (Sequence[str]): What was typed; the whole name of a task asks for its card.
        metric (str, optional): In the title or key of one of its metrics, in any case.

    Returns:
        list[str]: A title, a line for each, and how many there are; empty if none is called so.

    Raises:
        UserError: If some are called so, and none has the metric.
    """
    tasks = registered_tasks()
    if metric is None and len(words) == 1 and words[0] in tasks:
        return _card(tasks[words[0]])
    called = [task for task in tasks.values() if named(task.name)]
    found = [task for task in called if metric is None or _measures(task, metric.casefold())]
    if called and not found:
        known = dict.fromkeys(each.title for task in called for each in task.card.metrics)
        raise UserError(f'none of {len(called)} tasks measures {metric!r}: they measure {", ".join(known)}')
    if not found:
        return []
    return [*aligned([TITLES, *map(_cells, found)]), '', f'{len(found)} of {len(tasks)} tasks; {NARROWER}']


def known_tasks() -> list[str]:
    """Names in the registry."""
    return list(registered_tasks())


def _measures(task: RegisteredTask, metric: str) -> bool:
    return any(metric in text.casefold() for each in task.card.metrics for text in (each.title, each.key))


def _cells(task: RegisteredTask) -> tuple[str, ...]:
    card = task.card
    return (task.name, str(card.version), card.title, ', '.join(metric.title for metric in card.metrics),
            f'{card.test_images:,}')


def _card(task: RegisteredTask) -> list[str]:
    card = task.card
    metrics = [f'{metric.title} ({metric.key}, {metric.better} is better)' for metric in card.metrics]
    run = f'tests the checkpoint of a pre-training with {card.config}' if card.test_only else f'trains {card.config}'
    about = {'metrics': '; '.join(metrics), 'run': run, 'test images': f'{card.test_images:,}',
             'data': ', '.join(task.family.data), 'source': task.family.source,
             'in a suite': f'tasks = [{task.name!r}]'}
    wide = max(map(len, about))
    return [f'{task.name}, version {card.version}: {card.title}', '', *textwrap.wrap(card.card, 100), '',
            *(f'{title:<{wide}}  {text}' for title, text in about.items())]
