"""Whether what a task of the registry is measured on is there, and is the whole of it."""

from mmengine.registry import DATASETS, DefaultScope

from lgd_mm.console.quiet import quiet_loading
from lgd_mm.engine.checks.preflight import check_data
from lgd_mm.errors import UserError
from lgd_mm.suite.definition import Task, resolved


def check_task_data(task: Task) -> None:
    """See that the files of a task are there, and that it is measured on as many images as it says.

    Args:
        task (Task): One with neither a name of the registry nor a number of test images is passed over.

    Raises:
        UserError: If a file is missing, or another number of images is there.
    """
    if task.config is None or (task.task is None and task.test_images is None):
        return
    cfg = resolved(task.config, task.options)
    split = 'test' if task.test_only else 'val'
    try:
        check_data(cfg, *([split] if task.test_only else ['train', split]))
    except UserError as error:
        raise UserError(f'task {task.name}: {error}'.replace('--cfg-options', 'the task options like')) from error
    if task.test_images is None:
        return
    try:
        with DefaultScope.overwrite_default_scope(cfg.get('default_scope')), quiet_loading():
            images = len(DATASETS.build(cfg[f'{split}_dataloader'].dataset))
    except Exception:  # its own run tells what is wrong with it
        return
    if images != task.test_images:
        raise UserError(f'task {task.name} is measured on {task.test_images:,} test images, and {images:,} are there: '
                        'complete the data, or say task as a dict of your own with its config, whose figures are then '
                        'those of another task')
