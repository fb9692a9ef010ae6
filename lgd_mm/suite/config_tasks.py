"""A task in a suite config: a name of the registry, or a dict that may begin from one."""

from collections.abc import Mapping
from typing import Any

from lgd_mm.errors import UserError
from lgd_mm.suite.schema import Metric
from lgd_mm.suite.task_registry import registered_task

#: What the registry alone says of its tasks.
PROTOCOL = ('config', 'test_only', 'of', 'test_images')


def with_registry(task: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A task of a suite config with all that its file in the registry says.

    Args:
        task (Mapping[str, Any]): With the key ``task``, it takes the place of the title and the metrics by ``name`` and
            ``metrics``, and adds ``options`` and ``inputs``.
        where (str): It is in the config, for messages.

    Returns:
        dict[str, Any]: As a suite config would say it without a registry.

    Raises:
        UserError: If there is no such task or version, or the config says what the registry says.
    """
    if task.get('task') is None:
        return dict(task)
    if task.get('data') is not None:
        raise UserError(f'{where} has both task and data: a task of the registry is measured on its own data; say its '
                        'config, name and metrics in the place of task')
    for key in PROTOCOL:
        if task.get(key) is not None:
            raise UserError(f'{where} has both task and {key}: {key} is that of the task; take one of them out, as '
                            'another is another task')
    card = registered_task(task['task'], where, task.get('version')).card
    return dict(
        task=task['task'], version=card.version, config=card.config, test_only=card.test_only, of=card.of,
        test_images=card.test_images, name=task.get('name') or card.title,
        metrics=task.get('metrics') or {metric.key: _about(metric) for metric in card.metrics},
        options=list(task.get('options') or ()), inputs=[*card.inputs, *(task.get('inputs') or ())])


def _about(metric: Metric) -> dict[str, Any]:
    return dict(title=metric.title, scale=metric.scale, better=metric.better)
