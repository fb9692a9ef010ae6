"""When the losses are printed, and so fetched from the device."""

from mmengine.hooks import LoggerHook
from mmengine.runner import Runner


def log_interval(runner: Runner) -> int:
    """Iterations between two prints of the losses.

    Args:
        runner (Runner): With its hooks.

    Returns:
        int: 1 if nothing is printed.
    """
    return next((hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)), 1)
