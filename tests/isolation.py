"""What a test changes of the process is undone, so that neither order nor worker decides what the next one sees."""

import contextlib
import itertools
import logging
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope, Registry, root
from mmengine.visualization import Visualizer
from mmpretrain.apis.model import ModelHub

from lgd_mm import registry as own
from lgd_mm.exports import TARGETS

#: Classes of these packages are registered by an import, which happens once in a process.
LIBRARIES = ('lgd_mm', 'mmengine', 'mmcv', 'mmpretrain', 'mmdet', 'mmseg', 'torch', 'torchvision', 'timm')
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
#: What nohup and a shell's background jobs ignore, and tests of signals do not.
HEARD = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}


def forget_runs() -> None:
    """mmengine names a run's logger and visualizer by the second, and tests are faster."""
    for logger in MMLogger._instance_dict.values():
        for handler in logger.handlers:
            if isinstance(handler, logging.FileHandler):
                handler.close()
    for kind in (MMLogger, MessageHub, Visualizer):
        kind._instance_dict.clear()


@contextlib.contextmanager
def isolated(folder: Path) -> Iterator[None]:
    """Begin without a run, a default scope or random numbers drawn; leave the process as it was.

    Args:
        folder (Path): Modules and models that are from below it are forgotten: the next test writes others.
    """
    undo = [_registries(), _named_models(folder), _targets(), _modules(folder), _process(), _torch(), _logging()]
    for number, handler in HEARD.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    forget_runs()
    DefaultScope._instance_dict.clear()
    random.seed(0)
    np.random.seed(0)
    torch.default_generator.manual_seed(0)
    if torch.cuda.is_initialized():  # else torch.manual_seed() formats the stack for the time when it is
        torch.cuda.manual_seed_all(0)
    try:
        yield
    finally:
        for restore in undo:
            restore()
        forget_runs()
        DefaultScope._instance_dict.clear()


def _all_registries() -> Iterator[Registry]:
    waiting = [item for module in (root, own) for item in vars(module).values() if isinstance(item, Registry)]
    seen = set()
    while waiting:
        registry = waiting.pop()
        if id(registry) not in seen:
            seen.add(id(registry))
            waiting += registry.children.values()
            yield registry


def _registries() -> Callable[[], None]:
    before = [(registry, dict(registry.module_dict)) for registry in _all_registries()]

    def restore() -> None:
        for registry, modules in before:
            if registry.module_dict != modules:
                imported = {name: kind for name, kind in registry.module_dict.items()
                            if kind.__module__.partition('.')[0] in LIBRARIES}
                registry.module_dict.clear()
                registry.module_dict.update(imported | modules)

    return restore


def _named_models(folder: Path) -> Callable[[], None]:
    before = set(ModelHub._models_dict)

    def restore() -> None:
        for name in set(ModelHub._models_dict) - before:
            if str(ModelHub._models_dict[name].filepath).startswith(f'{folder}{os.sep}'):
                del ModelHub._models_dict[name]

    return restore


def _targets() -> Callable[[], None]:
    before = dict(TARGETS)

    def restore() -> None:
        if TARGETS != before:
            TARGETS.clear()
            TARGETS.update(before)

    return restore


def _modules(folder: Path) -> Callable[[], None]:
    last = next(reversed(sys.modules))  # those of the test come after it

    def restore() -> None:
        for name in list(itertools.takewhile(lambda name: name != last, reversed(sys.modules))):
            if str(getattr(sys.modules[name], '__file__', None) or '').startswith(f'{folder}{os.sep}'):
                del sys.modules[name]

    return restore


def _process() -> Callable[[], None]:
    folder, environment, arguments, path = os.getcwd(), dict(os.environ), list(sys.argv), list(sys.path)
    handlers = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        os.chdir(folder)
        for name in set(os.environ) - set(environment) - {'PYTEST_CURRENT_TEST'}:
            del os.environ[name]
        os.environ.update(environment)
        sys.argv[:], sys.path[:] = arguments, path
        for number, handler in handlers.items():
            if signal.getsignal(number) != handler:
                signal.signal(number, handler)

    return restore


def _torch() -> Callable[[], None]:
    kind, threads, gradients = torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled()
    exact = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic

    def restore() -> None:
        torch.set_default_dtype(kind)
        torch.set_grad_enabled(gradients)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(exact, warn_only=warns)
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = cudnn
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

    return restore


def _logging() -> Callable[[], None]:
    top = logging.getLogger()
    disabled, level, handlers = logging.root.manager.disable, top.level, set(top.handlers)

    def restore() -> None:
        if logging.root.manager.disable != disabled:  # either of the two asks all loggers to decide anew
            logging.disable(disabled)
        if top.level != level:
            top.setLevel(level)
        for handler in set(top.handlers) - handlers:
            if not type(handler).__module__.startswith('_pytest'):
                top.removeHandler(handler)

    return restore
