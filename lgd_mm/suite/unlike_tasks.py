"""Tasks of two suites that have a name in common and are not the same: their figures are not subtracted."""

from lgd_mm.suite.marks import image_sets
from lgd_mm.suite.schema import Results, TaskColumns


def unlike_tasks(a: Results, b: Results) -> dict[str, str]:
    """What differs of the tasks that two suites have.

    Args:
        a (Results): The content of a ``results.json``.
        b (Results): Another.

    Returns:
        dict[str, str]: A sentence for each task with another name in the registry, another version, or other test
        images, by its name in the suites. What a file does not tell, as those of earlier versions, does not differ.
    """
    others = {task.name: task for task in b.tasks}
    found = {task.name: _difference(a, task, b, others[task.name]) for task in a.tasks if task.name in others}
    return {name: f'{name} is not subtracted: {difference}.' for name, difference in found.items() if difference}


def _difference(a: Results, task: TaskColumns, b: Results, other: TaskColumns) -> str | None:
    if task.task and other.task and task.task != other.task:
        return f'A measures {task.task}, and B {other.task}'
    if task.version != other.version:
        name = task.task or other.task or 'the task'
        return f'A has version {task.version} of {name}, and B version {other.version}'
    images, others = image_sets(a, task.name), image_sets(b, other.name)
    if len(images | others) > 1 and '' not in images | others:
        return f'the test images are others (A: {_digests(images)}, B: {_digests(others)})'
    return None


def _digests(images: set[str]) -> str:
    return ', '.join(sorted(digest[:12] for digest in images))
